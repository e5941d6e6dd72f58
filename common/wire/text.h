/* text.h - texts inside wire: which bytes may stand in one, how faults say numbers and paths. Private to
 * wire. */
#ifndef AVVIK_WIRE_TEXT_H
#define AVVIK_WIRE_TEXT_H

#include <stddef.h>
#include <stdint.h>
#include "wire/message.h"

enum av_text_fault {
	AV_TEXT_FINE,
	AV_TEXT_NOT_UTF8,
	AV_TEXT_NUL,
	AV_TEXT_CONTROL, /* other than tab, newline and carriage return */
};

enum av_text_fault av_text_check(const void *data, size_t size);
/* What is wrong and the remedy; "" for AV_TEXT_FINE. Static. */
const char *av_text_remedy(enum av_text_fault fault);

#define AV_NUMBER_TEXT 32 /* grouped digits and the end */
/* "41 200". Returns ret_text. */
const char *av_number_text(uint64_t number, char ret_text[AV_NUMBER_TEXT]);

/* One step of a path, on the stack of the walk; composed only when there is a fault. */
struct av_step {
	const struct av_step *up; /* NULL at the outermost */
	const char *name;	  /* NULL: only an index */
	ptrdiff_t index;	  /* < 0: none */
};

/* Names in paths: so many letters are shown, and each as this. */
#define AV_PATH_NAME_MAX 48 /* a key in a file can be as long as the file */
char av_path_letter(char c);

/* "units[3].code" in the arena; "" when out of memory or there are no steps. Odd bytes of a name become '?'.
 */
const char *av_path_text(const struct av_step *last, struct av_arena *arena);

#endif
