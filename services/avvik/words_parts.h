/* words_parts.h - what sentences about events are made of. Private to words*.c. */
#ifndef AVVIK_WORDS_PARTS_H
#define AVVIK_WORDS_PARTS_H

#include <uthash.h>
#include "base/ids.h"
#include "words.h"

/* What is known of a case from its events. */
struct known_case {
	struct av_id id;
	char number[24], unit[48];
	Avvik__V1__CaseKind kind;
	UT_hash_handle hh;
};

/* One sentence being made. */
struct saying {
	struct words *words;
	struct av_arena *arena;
	const Avvik__V1__Event *event;
	enum tool_daemon daemon;
};

struct saying_row {
	Avvik__V1__Event__BodyCase event;
	const char *(*say)(struct saying *say);
};
extern const struct saying_row case_sayings[], deviation_sayings[], join_sayings[];
extern const size_t case_saying_count, deviation_saying_count, join_saying_count;

#define E(name) AVVIK__V1__EVENT__BODY_##name
#define SAY(...) av_arena_printf(say->arena, __VA_ARGS__)

/* Made when it is new; NULL: the event belongs to no case, or out of memory. */
struct known_case *known_case_of(struct words *words, ProtobufCBinaryData id);
const char *say_subject(const struct saying *say);	   /* "Case 2026-0007 (lex Sarah, Solgläntan)" */
const char *say_day(const struct saying *say, int32_t on); /* "Monday 22 June" */
const char *say_enum(const struct saying *say, const ProtobufCEnumDescriptor *type, int value);
const char *say_degree(const struct saying *say, Avvik__V1__Degree value); /* "a serious misconduct" */
const char *say_by(const struct saying *say);				   /* " (by saga.samordnare)" */
const char *say_deadline(const struct saying *say, const char *rule); /* "hand in the investigation to IVO" */
const char *say_joined(const struct saying *say, char *const *items, size_t count);

#endif
