/* random.c - the system's randomness, and a stream that can be repeated */
#include "base/random.h"

#include "base/macros.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

/* getrandom(2) fails only in a kernel or sandbox without it; nobody may go on with keys made of nothing. */
static void system_bytes(unsigned char *to, size_t size)
{
	while (size > 0) {
		ssize_t got = getrandom(to, size, 0);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			abort();
		to += got;
		size -= (size_t)got;
	}
}

/* Bytes are taken from the end of the pool and wiped there, so that what was given away cannot be read again.
 */
static void fill_system(struct av_random *self, void *data, size_t size)
{
	unsigned char *to = data;

	if (size >= sizeof(self->pool)) {
		system_bytes(to, size);
		return;
	}
	while (size > 0) {
		size_t take;
		if (self->pool_left == 0) {
			system_bytes(self->pool, sizeof(self->pool));
			self->pool_left = sizeof(self->pool);
		}
		take = AV_MIN(size, self->pool_left);
		self->pool_left -= take;
		memcpy(to, self->pool + self->pool_left, take);
		explicit_bzero(self->pool + self->pool_left, take);
		to += take;
		size -= take;
	}
}

struct av_random av_random_system(void)
{
	return (struct av_random){.fill = fill_system};
}

static uint64_t rotate_left(uint64_t x, int bits)
{
	return x << bits | x >> (64 - bits);
}

/* xoshiro256**, Blackman and Vigna */
static uint64_t next_seeded(uint64_t s[4])
{
	uint64_t result = rotate_left(s[1] * 5, 7) * 9;
	uint64_t t = s[1] << 17;

	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= t;
	s[3] = rotate_left(s[3], 45);
	return result;
}

/* Little-endian on every machine, so that a seed means the same everywhere. */
static void fill_seeded(struct av_random *self, void *data, size_t size)
{
	unsigned char *to = data;

	for (size_t i = 0; i < size;) {
		uint64_t word = next_seeded(self->state);
		for (int k = 0; k < 8 && i < size; k++, word >>= 8)
			to[i++] = (unsigned char)word;
	}
}

struct av_random av_random_seeded(uint64_t seed)
{
	struct av_random random = {.fill = fill_seeded};

	for (int i = 0; i < 4; i++) { /* splitmix64, as the authors of xoshiro advise */
		uint64_t z = seed += UINT64_C(0x9e3779b97f4a7c15);
		z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
		z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
		random.state[i] = z ^ z >> 31;
	}
	return random;
}

void av_random_fill(struct av_random *random, void *data, size_t size)
{
	random->fill(random, data, size);
}

uint64_t av_random_u64(struct av_random *random)
{
	unsigned char bytes[8];
	uint64_t value = 0;

	av_random_fill(random, bytes, sizeof(bytes));
	for (int i = 7; i >= 0; i--)
		value = value << 8 | bytes[i];
	return value;
}

uint64_t av_random_below(struct av_random *random, uint64_t below)
{
	uint64_t value,
		uneven = -below % below; /* 2^64 mod below: so many of the lowest would come too often */

	do
		value = av_random_u64(random);
	while (value < uneven);
	return value % below;
}
