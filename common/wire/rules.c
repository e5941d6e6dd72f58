/* rules.c - holds messages against the table of rules_table.c.
 *
 * Speed: each message is walked once by its shape (shape.c), which already knows the rule of every field;
 * paths are made only when there is a fault. Texts name the remedy and never say what was sent.
 */
#include "wire/rules.h"

#include <stdio.h>
#include <string.h>
#include <avvik/v1/common.pb-c.h>
#include "wire/shape.h"
#include "wire/text.h"

#define MAIL_MAX 254 /* of a path in SMTP, without its brackets */

#define CODE(name) AVVIK__V1__FAULT_CODE__FAULT_CODE_##name

struct check {
	struct av_faults *faults;
	bool refused;
};

struct value {
	const struct av_field_shape *f;
	struct av_step step;
};

#define FAULT(check, value, code, ...)                                                              \
	do {                                                                                        \
		if (listed(check, value, code))                                                     \
			av_fault((check)->faults, code,                                             \
				av_path_text(&(value)->step, (check)->faults->arena), __VA_ARGS__); \
	} while (0)

/* Notes whether it refuses the message; false when nobody wants the list. */
static bool listed(struct check *check, const struct value *value, int code)
{
	bool form = code == CODE(MALFORMED) || code == CODE(OUT_OF_RANGE) || code == CODE(NOT_TEXT);
	if (!(form && (value->f->flags & AV_KEPT)))
		check->refused = true;
	return check->faults != NULL;
}

/* "deviation, lex_sarah": what may stand in an enum field. */
static const char *choices_text(const struct av_enum_shape *shape, char *text, size_t size)
{
	size_t used = 0;
	for (unsigned i = 1; i < shape->type->n_values && used < size; i++)
		used += (size_t)snprintf(
			text + used, size - used, "%s%s", i > 1 ? ", " : "", shape->names[i]);
	return text;
}

static void fault_missing(struct check *check, const struct value *value)
{
	const struct av_field_shape *f = value->f;
	char choices[512];
	static const char *const by_kind[] = {
		[AV_KIND_TEXT] = "a text",
		[AV_KIND_BYTES] = "the bytes",
		[AV_KIND_BOOL] = "true",
		[AV_KIND_ENUM] = "a value",
		[AV_KIND_INT32] = "a number",
		[AV_KIND_UINT32] = "a number",
		[AV_KIND_INT64] = "a number",
		[AV_KIND_UINT64] = "a number",
		[AV_KIND_DOUBLE] = "a number",
		[AV_KIND_MESSAGE] = "the part",
	};
	if (f->rule && f->rule->what)
		FAULT(check, value, CODE(REQUIRED), "is missing: give %s", f->rule->what);
	else if (f->kind == AV_KIND_ENUM)
		FAULT(check, value, CODE(REQUIRED), "is missing: give one of %s",
			choices_text(f->choices, choices, sizeof choices));
	else if (f->form == AV_FORM_ID)
		FAULT(check, value, CODE(REQUIRED), "is missing: give the id");
	else if (f->form == AV_FORM_INSTANT)
		FAULT(check, value, CODE(REQUIRED), "is missing: give the time");
	else
		FAULT(check, value, CODE(REQUIRED), "is missing: give %s", by_kind[f->kind]);
}

static void fault_size(struct check *check, const struct value *value, size_t size)
{
	char is[AV_NUMBER_TEXT], bound[AV_NUMBER_TEXT];
	bool more = size > value->f->max;
	av_number_text(size, is);
	av_number_text(more ? value->f->max : value->f->min, bound);
	if (more)
		FAULT(check, value, CODE(TOO_LONG), "is %s bytes: at most %s are kept, so shorten it", is,
			bound);
	else
		FAULT(check, value, CODE(TOO_SHORT), "is %s bytes: give at least %s", is, bound);
}

static bool code_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
	       c == '.' || c == '-';
}

bool av_is_mail(const char *text)
{
	const char *at = text ? strchr(text, '@') : NULL;
	if (!at || at == text || at[1] == '\0' || strchr(at + 1, '@') || strlen(text) > MAIL_MAX)
		return false;
	for (const char *p = text; *p; p++)
		if ((unsigned char)*p <= ' ' || *p == 0x7f || strchr("<>,;:()\"\\[]", *p))
			return false;
	return true;
}

static void check_text(struct check *check, const struct value *value, const char *text)
{
	const struct av_field_shape *f = value->f;
	size_t size = text ? strlen(text) : 0;
	if (size == 0) {
		if (f->flags & AV_REQUIRED || (f->repeated && f->flags & AV_CODE))
			fault_missing(check, value);
		return;
	}
	if (size > f->max || size < f->min)
		fault_size(check, value, size);
	if (f->flags & AV_CODE) {
		const char *p = text;
		while (code_letter(*p))
			p++;
		if (*p)
			FAULT(check, value, CODE(MALFORMED),
				"is not a code: use only letters a to z, digits, underscore, point and "
				"hyphen");
	}
	if (f->flags & AV_LINE && strpbrk(text, "\r\n\t"))
		FAULT(check, value, CODE(NOT_TEXT), "has a newline or tab: give it on one line");
	if (f->flags & AV_MAIL && size <= f->max && !av_is_mail(text))
		FAULT(check, value, CODE(MALFORMED),
			"is not a mail address: give it as name@example.se, without name or spaces");
}

static void check_bytes(struct check *check, const struct value *value, size_t size)
{
	const struct av_field_shape *f = value->f;
	if (size == 0) {
		if (f->flags & AV_REQUIRED || (f->repeated && f->flags & (AV_ID | AV_HASH)))
			fault_missing(check, value);
		return;
	}
	if (f->flags & AV_ID && size != 16)
		FAULT(check, value, CODE(MALFORMED), "is %zu bytes: an id is 16 bytes (a UUID)", size);
	else if (f->flags & AV_HASH && size != 32)
		FAULT(check, value, CODE(MALFORMED), "is %zu bytes: a hash is 32 bytes", size);
	else if (size > f->max || size < f->min)
		fault_size(check, value, size);
}

static void check_enum(struct check *check, const struct value *value, int number)
{
	const struct av_field_shape *f = value->f;
	char choices[512];
	if (number == 0) {
		if (f->flags & AV_REQUIRED || f->repeated)
			fault_missing(check, value);
	} else if (av_enum_place(f->choices, number) < 0) {
		FAULT(check, value, CODE(UNKNOWN_VALUE), "is not a known value: give one of %s",
			choices_text(f->choices, choices, sizeof choices));
	}
}

static void check_number(struct check *check, const struct value *value, bool negative, uint64_t number)
{
	const struct av_field_shape *f = value->f;
	char least[AV_NUMBER_TEXT], most[AV_NUMBER_TEXT];
	if (number == 0) {
		if (f->flags & AV_REQUIRED)
			fault_missing(check, value);
		return;
	}
	if (f->form == AV_FORM_INSTANT) {
		if (negative || number > (uint64_t)AV_LAST_INSTANT)
			FAULT(check, value, CODE(OUT_OF_RANGE),
				"is not a time between 1970 and 2200: give milliseconds since 1970, UTC");
	} else if (f->form == AV_FORM_DAY) {
		if (negative || number > AV_LAST_DAY)
			FAULT(check, value, CODE(OUT_OF_RANGE), "is not a day between 1970 and 2200");
	} else if (f->max != 0 && (negative || number > f->max || number < f->min)) {
		av_number_text(f->min, least);
		av_number_text(f->max, most);
		FAULT(check, value, CODE(OUT_OF_RANGE), "is out of range: give %s to %s", least, most);
	} else if (number < f->min) {
		FAULT(check, value, CODE(OUT_OF_RANGE), "is too small: give at least %s",
			av_number_text(f->min, least));
	}
}

static void check_message(struct check *check, const struct av_shape *shape, const ProtobufCMessage *message,
	const struct av_step *up);

static void check_value(struct check *check, const struct value *value, const void *at)
{
	switch ((enum av_kind)value->f->kind) {
	case AV_KIND_TEXT:
		check_text(check, value, *(char *const *)at);
		break;
	case AV_KIND_BYTES:
		check_bytes(check, value, ((const ProtobufCBinaryData *)at)->len);
		break;
	case AV_KIND_ENUM:
		check_enum(check, value, *(const int *)at);
		break;
	case AV_KIND_INT32: {
		int32_t number = *(const int32_t *)at;
		check_number(check, value, number < 0, (uint64_t)number);
		break;
	}
	case AV_KIND_UINT32:
		check_number(check, value, false, *(const uint32_t *)at);
		break;
	case AV_KIND_INT64: {
		int64_t number = *(const int64_t *)at;
		check_number(check, value, number < 0, (uint64_t)number);
		break;
	}
	case AV_KIND_UINT64:
		check_number(check, value, false, *(const uint64_t *)at);
		break;
	case AV_KIND_MESSAGE:
		check_message(check, value->f->child, *(ProtobufCMessage *const *)at, &value->step);
		break;
	case AV_KIND_BOOL:
	case AV_KIND_DOUBLE:
		break;
	}
}

static void check_repeated(struct check *check, struct value *value, const char *base)
{
	const struct av_field_shape *f = value->f;
	size_t count = *(const size_t *)(const void *)(base + f->field->quantifier_offset);
	const char *items = *(const char *const *)(const void *)(base + f->field->offset);
	if (count == 0 && f->flags & AV_REQUIRED)
		fault_missing(check, value);
	if (count > f->items) {
		char is[AV_NUMBER_TEXT], most[AV_NUMBER_TEXT];
		FAULT(check, value, CODE(TOO_LONG), "has %s items: at most %s are kept",
			av_number_text(count, is), av_number_text(f->items, most));
		return;
	}
	for (size_t i = 0; i < count; i++) {
		value->step.index = (ptrdiff_t)i;
		check_value(check, value, items + i * av_kind_size(f->kind));
	}
}

static void check_message(struct check *check, const struct av_shape *shape, const ProtobufCMessage *message,
	const struct av_step *up)
{
	const char *base = (const char *)message;
	for (unsigned i = 0; i < shape->type->n_fields; i++) {
		const struct av_field_shape *f = &shape->fields[i];
		struct value value = {f, {up, f->field->name, -1}};
		if (f->repeated)
			check_repeated(check, &value, base);
		else if (av_field_present(message, f))
			check_value(check, &value, base + f->field->offset);
		else if (f->flags & AV_REQUIRED)
			fault_missing(check, &value);
	}
}

int av_rules_check(const ProtobufCMessage *message, struct av_faults *faults)
{
	struct check check = {.faults = faults};
	const struct av_shape *shape = av_shape_of(message->descriptor);
	if (!shape)
		return AV_INTERNAL;
	check_message(&check, shape, message, NULL);
	return check.refused ? AV_INVALID : AV_OK;
}

const struct av_field_rule *av_rule_of(
	const ProtobufCMessageDescriptor *type, const ProtobufCFieldDescriptor *field)
{
	return av_rule_row(type->short_name, field->name);
}
