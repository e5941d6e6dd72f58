/* code_text.c - see code_text.h */
#include "code_text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static bool made_of(const char *text, bool upper, const char *extra)
{
	if (!text || !*text)
		return false;
	for (; *text; text++) {
		bool letter = (*text >= 'a' && *text <= 'z') || (upper && *text >= 'A' && *text <= 'Z');
		bool digit = *text >= '0' && *text <= '9';
		if (!letter && !digit && !strchr(extra, *text))
			return false;
	}
	return true;
}

bool code_is(const char *text)
{
	return made_of(text, true, "_.-");
}

bool code_is_lower(const char *text)
{
	return made_of(text, false, ".-");
}

bool code_is_registry(const char *text)
{
	return made_of(text, true, "_.-/: ") && strpbrk(text, "0123456789");
}

bool code_is_media(const char *text)
{
	return made_of(text, true, "_.-+/");
}

bool text_is_blank(const char *text)
{
	return !text || text[strspn(text, " \t\r\n")] == '\0';
}

struct text_set text_set_create(size_t max, struct av_arena *arena)
{
	return (struct text_set){av_arena_alloc(arena, (max + 1) * sizeof(char *)), 0};
}

/* Where it stands or would stand. */
static size_t place_of(const struct text_set *set, const char *text, bool *ret_found)
{
	size_t low = 0, high = set->count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(set->texts[middle], text);
		if (order == 0) {
			*ret_found = true;
			return middle;
		}
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	*ret_found = false;
	return low;
}

bool text_set_add(struct text_set *set, const char *text)
{
	bool found;
	size_t at = place_of(set, text, &found);
	if (found)
		return false;
	memmove(set->texts + at + 1, set->texts + at, (set->count - at) * sizeof(char *));
	set->texts[at] = text;
	set->count++;
	return true;
}

bool text_set_has(const struct text_set *set, const char *text)
{
	bool found;
	place_of(set, text, &found);
	return found;
}

const char *path_of(struct av_faults *faults, const char *format, ...)
{
	char text[400];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	const char *path = av_arena_strdup(faults->arena, text);
	return path ? path : "";
}
