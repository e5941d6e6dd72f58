/* code_text.h - what may stand in an event: codes, never sentences. */
#ifndef INTAKE_CODE_TEXT_H
#define INTAKE_CODE_TEXT_H

#include <stdbool.h>
#include "wire/message.h"

bool code_is(const char *text);	      /* A-Z a-z 0-9 _ . - , not empty */
bool code_is_lower(const char *text); /* a-z 0-9 . - , not empty: unit codes and account names */
bool code_is_registry(
	const char *text); /* a registry number as "SN 2026/0042": also / : and space, and some digit */
bool code_is_media(const char *text); /* "application/pdf" */
bool text_is_blank(const char *text); /* NULL, empty or only white space */

/* A list without anything twice: bytes of sorted texts. */
struct text_set {
	const char **texts;
	size_t count;
};
/* Room for `max` texts; texts NULL when out of memory. */
struct text_set text_set_create(size_t max, struct av_arena *arena);
bool text_set_add(struct text_set *set, const char *text); /* false: it was there */
bool text_set_has(const struct text_set *set, const char *text);

/* "units[3].code" in the arena. */
const char *path_of(struct av_faults *faults, const char *format, ...) AV_PRINTF(2, 3);

#endif
