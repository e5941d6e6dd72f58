/* mutate.h - messages changed in their fields, by the descriptors and the table of rules: what comes out can
 * be packed, and is mostly what a peer could send. Texts and ids that were seen are used again. */
#ifndef AVVIK_TESTS_FUZZ_MUTATE_H
#define AVVIK_TESTS_FUZZ_MUTATE_H

#include <protobuf-c/protobuf-c.h>
#include "base/arena.h"
#include "base/bytes.h"
#include "base/random.h"

/* The texts and ids of a message go into the pool from which fields are set. */
void mutate_remember(const ProtobufCMessage *message);
void mutate_remember_id(struct av_bytes id);

/* A new message, filled by its rules, with things from the pool. */
struct av_bytes mutate_made(
	const ProtobufCMessageDescriptor *type, struct av_arena *arena, struct av_random *random);
/* The same with this member of its oneof. */
ProtobufCMessage *mutate_filled(const ProtobufCMessageDescriptor *type, unsigned int body,
	struct av_arena *arena, struct av_random *random);
/* One field somewhere in it, changed in place. */
void mutate_message(ProtobufCMessage *message, struct av_arena *arena, struct av_random *random);
/* Bytes that are no such message are changed as bytes. */
struct av_bytes mutate_packed(const ProtobufCMessageDescriptor *type, struct av_bytes packed,
	struct av_arena *arena, struct av_random *random);
/* By libFuzzer; may grow by `more`. */
struct av_bytes mutate_bytes(struct av_bytes bytes, size_t more, struct av_arena *arena);

#endif
