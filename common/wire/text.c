/* text.c - which bytes may stand in a text, and how faults say numbers and paths.
 *
 * UTF-8 by the letter (RFC 3629: shortest form, no surrogates, at most U+10FFFF), without control characters
 * of ASCII, DEL and C1, but tab, newline and carriage return. Eight plain bytes are passed at a time, since most text is
 * plain.
 */
#include "wire/text.h"

#include <stdio.h>
#include <string.h>

#define EACH(byte) (UINT64_C(0x0101010101010101) * (byte))

/* All eight bytes are 0x20..0x7e. The tests for less-than and zero may also flag bytes that are fine, never
 * miss one. */
static bool plain(uint64_t word)
{
	uint64_t below = word - EACH(0x20);
	uint64_t del = (word ^ EACH(0x7f)) - EACH(0x01);
	return ((word | below | del) & EACH(0x80)) == 0;
}

/* The bytes of the sequence at p, 0 when it is none. */
static size_t sequence(const unsigned char *p, size_t left)
{
	unsigned char low = 0x80, high = 0xbf;
	size_t size;
	if (p[0] >= 0xc2 && p[0] <= 0xdf) {
		size = 2;
	} else if ((p[0] & 0xf0) == 0xe0) {
		size = 3;
		if (p[0] == 0xe0)
			low = 0xa0;
		else if (p[0] == 0xed)
			high = 0x9f;
	} else if (p[0] >= 0xf0 && p[0] <= 0xf4) {
		size = 4;
		if (p[0] == 0xf0)
			low = 0x90;
		else if (p[0] == 0xf4)
			high = 0x8f;
	} else {
		return 0;
	}
	if (size > left || p[1] < low || p[1] > high)
		return 0;
	for (size_t i = 2; i < size; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	return size;
}

enum av_text_fault av_text_check(const void *data, size_t size)
{
	const unsigned char *p = data, *end = p + size;
	while (p < end) {
		if (end - p >= 8) {
			uint64_t word;
			memcpy(&word, p, 8);
			if (plain(word)) {
				p += 8;
				continue;
			}
		}
		if (*p < 0x80) {
			if (*p == 0)
				return AV_TEXT_NUL;
			if ((*p < 0x20 && *p != '\t' && *p != '\n' && *p != '\r') || *p == 0x7f)
				return AV_TEXT_CONTROL;
			p++;
			continue;
		}
		size_t step = sequence(p, (size_t)(end - p));
		if (step == 0)
			return AV_TEXT_NOT_UTF8;
		if (p[0] == 0xc2 && p[1] < 0xa0)
			return AV_TEXT_CONTROL;
		p += step;
	}
	return AV_TEXT_FINE;
}

const char *av_text_remedy(enum av_text_fault fault)
{
	switch (fault) {
	case AV_TEXT_NOT_UTF8:
		return "is not UTF-8: send the text as UTF-8";
	case AV_TEXT_NUL:
		return "has a NUL byte: send the text without it";
	case AV_TEXT_CONTROL:
		return "has a control character: only tab, newline and carriage return may stand in a text";
	case AV_TEXT_FINE:
		break;
	}
	return "";
}

const char *av_number_text(uint64_t number, char ret_text[AV_NUMBER_TEXT])
{
	char digits[24];
	int count = snprintf(digits, sizeof digits, "%llu", (unsigned long long)number);
	char *to = ret_text;
	for (int i = 0; i < count; i++) {
		if (i > 0 && (count - i) % 3 == 0)
			*to++ = ' ';
		*to++ = digits[i];
	}
	*to = '\0';
	return ret_text;
}

static size_t shown(const char *name)
{
	return strnlen(name, AV_PATH_NAME_MAX);
}

char av_path_letter(char c)
{
	bool usual = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
		     c == '-';
	return usual ? c : '?';
}

const char *av_path_text(const struct av_step *last, struct av_arena *arena)
{
	size_t size = 1;
	for (const struct av_step *s = last; s; s = s->up)
		size += (s->name ? shown(s->name) + 1 : 0) + (s->index >= 0 ? 24 : 0);
	char *path = av_arena_alloc(arena, size);
	if (!path)
		return "";
	/* From the end towards the start, since the steps are linked that way. */
	char *at = path + size;
	*--at = '\0';
	for (const struct av_step *s = last; s; s = s->up) {
		if (s->index >= 0) {
			char index[24];
			int digits = snprintf(index, sizeof index, "[%td]", s->index);
			at -= digits;
			memcpy(at, index, (size_t)digits);
		}
		if (s->name) {
			for (size_t i = shown(s->name); i > 0; i--)
				*--at = av_path_letter(s->name[i - 1]);
			if (s->up)
				*--at = '.';
		}
	}
	return at;
}
