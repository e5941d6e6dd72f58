/* random.h - randomness as an argument, so that a turn can be repeated.
 *
 * av_random_system() is libsodium-free: getrandom(2). av_random_seeded() is a deterministic stream (for tests
 * and simulation; never for keys in production). Never copy one that has been used: both copies would give
 * the same bytes.
 */
#ifndef AVVIK_BASE_RANDOM_H
#define AVVIK_BASE_RANDOM_H

#include <stddef.h>
#include <stdint.h>

struct av_random {
	void (*fill)(struct av_random *self, void *data, size_t size);
	uint64_t state[4];	  /* of the seeded stream (xoshiro256**) */
	unsigned char pool[1024]; /* the system source is read in pieces this large */
	size_t pool_left;
};

struct av_random av_random_system(void);
struct av_random av_random_seeded(uint64_t seed);
void av_random_fill(struct av_random *random, void *data, size_t size);
uint64_t av_random_u64(struct av_random *random);
/* Evenly in [0, below), below > 0. */
uint64_t av_random_below(struct av_random *random, uint64_t below);

#endif
