/* steps.h - an input of the fuzzers that drive something: a row of steps, each a message or a few bytes.
 *
 *	kind and flags u8, who u8, size u24 (little-endian), body
 *
 * What is cut short or too long is taken as far as it goes, so that any bytes are some row of steps. The
 * target says by fuzz_kinds which messages its kinds hold; steps.c has libFuzzer's mutator and cross-over for
 * them.
 */
#ifndef AVVIK_TESTS_FUZZ_STEPS_H
#define AVVIK_TESTS_FUZZ_STEPS_H

#include <stdbool.h>
#include <stdint.h>
#include <protobuf-c/protobuf-c.h>
#include "base/arena.h"
#include "base/bytes.h"
#include "base/random.h"

#define STEPS_MAX 64
#define STEP_HEAD 5

struct step {
	unsigned int kind; /* below 16; modulo the target's number of kinds */
	bool follow;	   /* filled in from where things stand: versions, sequences, grants */
	bool joined;	   /* goes with the next one, in one turn */
	unsigned char who;
	struct av_bytes body;
};

/* At most `max`; the bodies point into `data`. */
size_t steps_read(struct av_bytes data, struct step *ret_steps, size_t max);
/* As many as there is room for. Answers the size. */
size_t steps_write(const struct step *steps, size_t count, uint8_t *ret_data, size_t max);

struct step_kind {
	const ProtobufCMessageDescriptor *type; /* NULL: bytes */
	unsigned int weight;			/* of new ones among all kinds; 0: never made anew */
	/* A new body. NULL: a filled `type`, or a few random bytes. */
	struct av_bytes (*make)(struct av_arena *arena, struct av_random *random);
};
extern const struct step_kind step_kinds[]; /* the target's */
extern const size_t step_kind_count;

#endif
