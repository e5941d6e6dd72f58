/* wire_samples.h - messages for the tests of wire: a real report, and any message filled by its rules. */
#ifndef AVVIK_TESTS_WIRE_SAMPLES_H
#define AVVIK_TESTS_WIRE_SAMPLES_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <avvik/v1/command.pb-c.h>
#include <avvik/v1/envelope.pb-c.h>
#include <avvik/v1/feed.pb-c.h>
#include <avvik/v1/settings.pb-c.h>
#include "base/macros.h"
#include "base/random.h"
#include "wire/message.h"
#include "wire/rules.h"

/* An arena that the test's setup makes and its teardown destroys: *state. */
int sample_setup(void **state);
int sample_teardown(void **state);

/* About 1 KiB packed, without a fault. */
Avvik__V1__FileReport *sample_report(struct av_arena *arena);
/* Every field filled with values that its rules allow; of the oneof the `turn`-th member (modulo their
 * number). */
ProtobufCMessage *sample_filled(const ProtobufCMessageDescriptor *type, struct av_arena *arena,
	struct av_random *random, unsigned int turn);
/* How many members the oneof has; 1 when there is none. */
unsigned int sample_turns(const ProtobufCMessageDescriptor *type);

/* Fails, listing all, unless a fault of this code stands at this path with `text` in its text. */
void assert_fault(const struct av_faults *faults, int code, const char *path, const char *text);
void assert_no_faults(const struct av_faults *faults);
/* The whole of a file of the source tree, with a NUL after it; fails when it cannot be read. free() it. */
char *sample_file(const char *path);

/* protobuf-c has no const in its messages. */
#define TEXT(literal) ((char *)(uintptr_t)(literal))
#define FAULT(name) AVVIK__V1__FAULT_CODE__FAULT_CODE_##name

#endif
