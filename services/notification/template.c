/* template.c - mail templates: text with {{placeholders}}, filled in without logic. */
#include "template.h"

#include <string.h>
#include "base/status.h"

#define SUBJECT "Subject: "

static const struct {
	const char *name, *what;
} fields[FIELD_COUNT] = {
#define X(name, text, what) [FIELD_##name] = {#text, what},
	TEMPLATE_FIELD_LIST(X)
#undef X
};

const char *template_field_name(enum template_field field)
{
	return (size_t)field < FIELD_COUNT ? fields[field].name : "";
}

const char *template_field_what(enum template_field field)
{
	return (size_t)field < FIELD_COUNT ? fields[field].what : "";
}

static int field_by_name(const char *name, size_t size)
{
	for (int i = 0; i < FIELD_COUNT; i++)
		if (strlen(fields[i].name) == size && memcmp(fields[i].name, name, size) == 0)
			return i;
	return -1;
}

static void fault(struct template_faults *faults, unsigned int line, const char *text)
{
	if (faults->count < TEMPLATE_FAULTS_MAX)
		faults->list[faults->count] = (struct template_fault){line, text};
	faults->count++;
}

/* The length of one UTF-8 character, 0 for what is none: overlong forms, surrogates and control characters
 * included. */
static size_t utf8_size(const unsigned char *at, size_t left)
{
	static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
	if (at[0] < 0x80)
		return at[0] >= 0x20 || at[0] == '\n' || at[0] == '\t' ? 1 : 0;
	size_t size = at[0] >= 0xf0 && at[0] < 0xf5 ? 4 : at[0] >= 0xe0 ? 3 : at[0] >= 0xc2 ? 2 : 0;
	if (size == 0 || size > left || at[0] >= 0xf5)
		return 0;
	uint32_t value = at[0] & (0xffu >> (size + 1));
	for (size_t i = 1; i < size; i++) {
		if ((at[i] & 0xc0) != 0x80)
			return 0;
		value = value << 6 | (at[i] & 0x3fu);
	}
	return value < smallest[size] || value > 0x10ffff || (value >= 0xd800 && value < 0xe000) ? 0 : size;
}

static void check_characters(const char *text, struct template_faults *faults)
{
	unsigned int line = 1;
	size_t left = strlen(text);

	while (left > 0) {
		size_t size = utf8_size((const unsigned char *)text, left);
		if (size == 0) {
			fault(faults, line, "is not UTF-8 text; save the file as UTF-8");
			return;
		}
		if (*text == '\n')
			line++;
		text += size;
		left -= size;
	}
}

static void check_placeholders(const char *text, struct av_arena *arena, struct template_faults *faults)
{
	unsigned int line = 1;

	for (const char *at = text; *at; at++) {
		if (*at == '\n')
			line++;
		if (strncmp(at, "{{", 2) != 0)
			continue;
		const char *name = at + 2, *end = strstr(name, "}}"), *newline = strchr(name, '\n');
		if (!end || (newline && newline < end)) {
			fault(faults, line, "has a {{ without its }} on the same line");
			continue;
		}
		if (field_by_name(name, (size_t)(end - name)) < 0) {
			int size = (int)(end - name > 40 ? 40 : end - name);
			const char *said = av_arena_printf(arena,
				"has the unknown placeholder {{%.*s}}; see --describe for those there are",
				size, name);
			fault(faults, line, said ? said : "has an unknown placeholder");
		}
		at = end + 1;
	}
}

int template_parse(const char *name, struct av_bytes text, struct av_arena *arena,
	struct template_faults *faults, struct template *ret_template)
{
	size_t before = faults->count;

	if (text.size > TEMPLATE_BYTES_MAX) {
		fault(faults, 1, "is larger than 16 KiB");
		return AV_INVALID;
	}
	char *copy = av_arena_alloc(arena, text.size + 1);
	const char *own_name = av_arena_strdup(arena, name);
	if (!copy || !own_name)
		return AV_MEMORY;
	size_t size = 0;
	for (size_t i = 0; i < text.size; i++) {
		char c = ((const char *)text.data)[i];
		if (c != '\r')
			copy[size++] = c ? c : '\x01'; /* a NUL is no text: found by check_characters */
	}
	copy[size] = '\0';
	check_characters(copy, faults);
	if (faults->count == before)
		check_placeholders(copy, arena, faults);

	char *end = strchr(copy, '\n');
	if (strncmp(copy, SUBJECT, strlen(SUBJECT)) != 0 || !end || end == copy + strlen(SUBJECT))
		fault(faults, 1, "does not begin with a line \"Subject: …\"");
	else if (end[1] != '\n')
		fault(faults, 2, "is not empty: an empty line stands between the subject and the body");
	else if (end[2] == '\0')
		fault(faults, 3, "is missing: there is no body");
	if (faults->count != before)
		return AV_INVALID;
	/* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): without one there was a fault */
	*end = '\0';
	*ret_template = (struct template){own_name, copy + strlen(SUBJECT), end + 2};
	return AV_OK;
}

/* --- filling in --- */

struct out {
	struct av_arena *arena;
	char *text;
	size_t size, room;
	bool failed;
};

static void put(struct out *out, const char *text, size_t size)
{
	if (out->failed)
		return;
	if (out->size + size + 1 > out->room) {
		size_t room = (out->size + size + 1) * 2;
		char *larger = av_arena_alloc(out->arena, room);
		if (!larger) {
			out->failed = true;
			return;
		}
		if (out->size)
			memcpy(larger, out->text, out->size);
		out->text = larger;
		out->room = room;
	}
	memcpy(out->text + out->size, text, size);
	out->size += size;
	out->text[out->size] = '\0';
}

/* One line without its end. Answers false when it held nothing but placeholders that were all empty. */
static bool fill_line(struct out *out, const char *line, size_t size, const char *const values[FIELD_COUNT])
{
	bool has_field = false, has_text = false;
	const char *end = line + size;

	while (line < end) {
		const char *close =
			end - line >= 4 && strncmp(line, "{{", 2) == 0 ? strstr(line, "}}") : NULL;
		if (close && close < end) {
			int field = field_by_name(line + 2, (size_t)(close - line - 2));
			const char *value = field >= 0 ? values[field] : NULL;
			has_field = true;
			if (value && *value) {
				put(out, value, strlen(value));
				has_text = true;
			}
			line = close + 2;
			continue;
		}
		if (*line != ' ' && *line != '\t')
			has_text = true;
		put(out, line++, 1);
	}
	return has_text || !has_field;
}

static const char *finish(struct out *out)
{
	put(out, "", 0);
	return out->failed ? NULL : out->text;
}

int template_fill(const struct template *template, const char *const values[FIELD_COUNT],
	struct av_arena *arena, const char **ret_subject, const char **ret_body)
{
	struct out subject = {.arena = arena}, body = {.arena = arena};
	bool empty_before = true;

	fill_line(&subject, template->subject, strlen(template->subject), values);
	/* It stays a line, also with the lines of a digest in it. */
	for (size_t i = 0; !subject.failed && i < subject.size; i++)
		if (subject.text[i] == '\n' || subject.text[i] == '\r')
			subject.text[i] = ' ';
	for (const char *line = template->body; *line;) {
		size_t size = strcspn(line, "\n"), mark = body.size;
		bool stays = fill_line(&body, line, size, values), is_empty = size == 0;
		if (stays && !(is_empty && empty_before)) {
			put(&body, "\n", 1);
			empty_before = is_empty;
		} else if (!body.failed) {
			body.size = mark;
		}
		line += size + (line[size] == '\n');
	}
	const char *filled_subject = finish(&subject), *filled_body = finish(&body);
	if (!filled_subject || !filled_body)
		return AV_MEMORY;
	*ret_subject = filled_subject;
	*ret_body = filled_body;
	return AV_OK;
}
