/* json_in.c - from a JSON tree to a message, listing every fault.
 *
 * A value that cannot be taken leaves its field empty and the walk goes on; then the rules are checked. What
 * the rules say of a field that was already found faulty is dropped: "is missing" would be noise.
 */
#include "wire/json_in.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <avvik/v1/common.pb-c.h>
#include <avvik/v1/envelope.pb-c.h>
#include "base/date.h"
#include "base/ids.h"
#include "wire/nearest.h"
#include "wire/shape.h"
#include "wire/text.h"

#define CODE(name) AVVIK__V1__FAULT_CODE__FAULT_CODE_##name

struct taking {
	enum av_json_source source;
	struct av_arena *arena;
	struct av_faults *faults;
};

#define FAULT(taking, step, code, ...) \
	av_fault((taking)->faults, code, av_path_text(step, (taking)->faults->arena), __VA_ARGS__)

static void wrong_type(struct taking *t, const struct av_step *step, const char *want)
{
	FAULT(t, step, CODE(WRONG_TYPE), "is of the wrong type: give %s", want);
}

static ProtobufCMessage *take_message(
	struct taking *t, const struct av_shape *shape, const json_t *json, const struct av_step *step);

/* The text of a scalar, NULL (with a fault) when it is none. */
static const char *take_text(
	struct taking *t, const json_t *json, const struct av_step *step, const char *want)
{
	if (json_is_string(json)) {
		enum av_text_fault bad = av_text_check(json_string_value(json), json_string_length(json));
		if (bad != AV_TEXT_FINE) {
			FAULT(t, step, CODE(NOT_TEXT), "%s", av_text_remedy(bad));
			return NULL;
		}
		return json_string_value(json);
	}
	if (t->source == AV_FROM_YAML && json_is_integer(json))
		return av_arena_printf(t->arena, "%" JSON_INTEGER_FORMAT, json_integer_value(json));
	if (t->source == AV_FROM_YAML && json_is_boolean(json))
		return json_is_true(json) ? "true" : "false";
	wrong_type(t, step, want);
	return NULL;
}

/* 36 characters with hyphens, or 32 hex digits. */
static bool take_id(const char *text, unsigned char *to)
{
	char digits[2 * AV_ID_SIZE + 1];
	size_t size = strlen(text), used = 0;
	if (size == AV_ID_TEXT - 1) {
		for (size_t i = 0; i < size; i++) {
			bool hyphen = i == 8 || i == 13 || i == 18 || i == 23;
			if (hyphen != (text[i] == '-'))
				return false;
			if (!hyphen)
				digits[used++] = text[i];
		}
		digits[used] = '\0';
		text = digits;
	}
	return av_unhex(text, to, AV_ID_SIZE) == AV_OK;
}

static void take_bytes(struct taking *t, const struct av_field_shape *f, const json_t *json,
	const struct av_step *step, ProtobufCBinaryData *to)
{
	if (f->form == AV_FORM_EVENT && json_is_object(json)) {
		const struct av_shape *shape = av_shape_of(&avvik__v1__event__descriptor);
		ProtobufCMessage *event = take_message(t, shape, json, step);
		struct av_bytes wire = event ? av_message_pack(event, t->arena) : av_bytes(NULL, 0);
		*to = (ProtobufCBinaryData){wire.size, (uint8_t *)(uintptr_t)wire.data};
		return;
	}
	const char *text =
		take_text(t, json, step, f->form == AV_FORM_ID ? "a UUID" : "hex digits in quotes");
	if (!text || !*text)
		return;
	size_t size = f->form == AV_FORM_ID ? AV_ID_SIZE : strlen(text) / 2;
	unsigned char *data = av_arena_alloc(t->arena, size + 1);
	if (!data)
		return;
	if (f->form == AV_FORM_ID ? !take_id(text, data)
				  : strlen(text) % 2 || av_unhex(text, data, size) < 0) {
		FAULT(t, step, CODE(MALFORMED), "%s",
			f->form == AV_FORM_ID
				? "is not a UUID: give it as 019805a2-7c00-7000-8000-000000000000"
				: "is not hex: give two digits 0-9 a-f for each byte");
		return;
	}
	*to = (ProtobufCBinaryData){size, data};
}

static int take_enum(
	struct taking *t, const struct av_field_shape *f, const json_t *json, const struct av_step *step)
{
	const struct av_enum_shape *choices = f->choices;
	char list[512];
	size_t used = 0;
	int value;
	const char *text = take_text(t, json, step, "the name of a value");
	if (!text || av_enum_value(choices->type, text, &value) == AV_OK)
		return text ? value : 0;
	for (unsigned i = 1; i < choices->type->n_values && used < sizeof list; i++)
		used += (size_t)snprintf(
			list + used, sizeof list - used, "%s%s", i > 1 ? ", " : "", choices->names[i]);
	FAULT(t, step, CODE(UNKNOWN_VALUE), "is not a known value: give one of %s", list);
	return 0;
}

static int64_t take_int(
	struct taking *t, const json_t *json, const struct av_step *step, int64_t least, int64_t most)
{
	if (!json_is_integer(json)) {
		wrong_type(t, step, "a whole number");
		return 0;
	}
	int64_t number = json_integer_value(json);
	if (number < least || number > most) {
		FAULT(t, step, CODE(OUT_OF_RANGE), "is out of range: give a number from %lld to %lld",
			(long long)least, (long long)most);
		return 0;
	}
	return number;
}

static uint64_t take_uint64(struct taking *t, const json_t *json, const struct av_step *step)
{
	/* Beyond what JSON numbers hold it is written as text (json.c). */
	if (json_is_string(json) && json_string_value(json)[0] >= '0' && json_string_value(json)[0] <= '9') {
		char *end;
		errno = 0;
		unsigned long long number = strtoull(json_string_value(json), &end, 10);
		if (errno == 0 && *end == '\0' && number > INT64_MAX)
			return number;
	}
	return (uint64_t)take_int(t, json, step, 0, INT64_MAX);
}

static int64_t take_instant(
	struct taking *t, const json_t *json, const struct av_step *step, bool milliseconds)
{
	int64_t instant = 0;
	if (milliseconds)
		return take_int(t, json, step, INT64_MIN, INT64_MAX);
	const char *text = take_text(t, json, step, "a time such as 2026-06-22T14:05");
	if (text && *text && av_instant_parse(text, &instant) < 0)
		FAULT(t, step, CODE(MALFORMED),
			"is not a time: give it as 2026-06-22T14:05, local, or with Z or +02:00");
	return instant;
}

static int32_t take_day(struct taking *t, const json_t *json, const struct av_step *step)
{
	av_day day = 0;
	/* A number is refused: 2025 would be a day in 1975. */
	if (json_is_number(json)) {
		wrong_type(t, step, "a day such as 2026-06-22");
		return 0;
	}
	const char *text = take_text(t, json, step, "a day such as 2026-06-22");
	if (text && *text && av_day_parse(text, &day) < 0)
		FAULT(t, step, CODE(MALFORMED), "is not a day that exists: give it as 2026-06-22");
	return day;
}

static double take_double(struct taking *t, const json_t *json, const struct av_step *step)
{
	if (json_is_number(json))
		return json_number_value(json);
	if (t->source == AV_FROM_YAML && json_is_string(json) && *json_string_value(json)) {
		char *end;
		double number = strtod(json_string_value(json), &end);
		if (*end == '\0')
			return number;
	}
	wrong_type(t, step, "a number");
	return 0;
}

static void take_value(struct taking *t, const struct av_field_shape *f, const json_t *json,
	const struct av_step *step, bool milliseconds, void *to)
{
	switch ((enum av_kind)f->kind) {
	case AV_KIND_TEXT: {
		const char *text = take_text(t, json, step, "a text");
		char *copy = text && *text ? av_arena_strdup(t->arena, text) : NULL;
		*(const char **)to = copy ? copy : protobuf_c_empty_string;
		break;
	}
	case AV_KIND_BYTES:
		take_bytes(t, f, json, step, to);
		break;
	case AV_KIND_BOOL:
		if (!json_is_boolean(json))
			wrong_type(t, step, "true or false");
		*(protobuf_c_boolean *)to = json_is_true(json);
		break;
	case AV_KIND_ENUM:
		*(int *)to = take_enum(t, f, json, step);
		break;
	case AV_KIND_INT32:
		*(int32_t *)to = f->form == AV_FORM_DAY
					 ? take_day(t, json, step)
					 : (int32_t)take_int(t, json, step, INT32_MIN, INT32_MAX);
		break;
	case AV_KIND_UINT32:
		*(uint32_t *)to = (uint32_t)take_int(t, json, step, 0, UINT32_MAX);
		break;
	case AV_KIND_INT64:
		*(int64_t *)to = f->form == AV_FORM_INSTANT ? take_instant(t, json, step, milliseconds)
							    : take_int(t, json, step, INT64_MIN, INT64_MAX);
		break;
	case AV_KIND_UINT64:
		*(uint64_t *)to = take_uint64(t, json, step);
		break;
	case AV_KIND_DOUBLE:
		*(double *)to = take_double(t, json, step);
		break;
	case AV_KIND_MESSAGE:
		*(ProtobufCMessage **)to = take_message(t, f->child, json, step);
		break;
	}
}

static void take_list(struct taking *t, const struct av_field_shape *f, const json_t *json,
	struct av_step *step, bool milliseconds, char *base)
{
	size_t each = av_kind_size(f->kind), count = json_array_size(json);
	if (!json_is_array(json)) {
		wrong_type(t, step, "a list");
		return;
	}
	char *items = count ? av_arena_zalloc(t->arena, count * each) : NULL;
	if (!items)
		return;
	for (size_t i = 0; i < count; i++) {
		step->index = (ptrdiff_t)i;
		take_value(t, f, json_array_get(json, i), step, milliseconds, items + i * each);
	}
	*(size_t *)(void *)(base + f->field->quantifier_offset) = count;
	*(char **)(void *)(base + f->field->offset) = items;
}

/* The field of a key: its name, or without `_ms` for a time. */
static const struct av_field_shape *field_of(
	const struct av_shape *shape, const char *key, bool *ret_milliseconds)
{
	for (unsigned i = 0; i < shape->type->n_fields; i++) {
		const struct av_field_shape *f = &shape->fields[i];
		const char *name = f->field->name;
		size_t size = strlen(name);
		*ret_milliseconds = true;
		if (strcmp(key, name) == 0)
			return f;
		*ret_milliseconds = false;
		if (f->form == AV_FORM_INSTANT && strlen(key) == size - 3 && memcmp(key, name, size - 3) == 0)
			return f;
	}
	return NULL;
}

static void unknown_key(
	struct taking *t, const struct av_shape *shape, const char *key, const struct av_step *step)
{
	struct av_nearest nearest = {.wanted = key};
	for (unsigned i = 0; i < shape->type->n_fields; i++) {
		const char *name = shape->fields[i].field->name;
		int size = (int)strlen(name) - (shape->fields[i].form == AV_FORM_INSTANT ? 3 : 0);
		av_nearest_try(&nearest, av_arena_printf(t->arena, "%.*s", size, name));
	}
	if (nearest.found)
		FAULT(t, step, CODE(UNKNOWN_FIELD), "is not a known key: did you mean %s?", nearest.found);
	else
		FAULT(t, step, CODE(UNKNOWN_FIELD),
			"is not a known key of %s: take it out, or look in the examples",
			shape->type->short_name);
}

static ProtobufCMessage *take_message(
	struct taking *t, const struct av_shape *shape, const json_t *json, const struct av_step *up)
{
	ProtobufCMessage *message = av_arena_zalloc(t->arena, shape->type->sizeof_message);
	const char *key;
	json_t *value;
	if (!message)
		return NULL;
	protobuf_c_message_init(shape->type, message);
	if (!json_is_object(json)) {
		wrong_type(t, up, "an object of keys and values");
		return message;
	}
	json_object_foreach((json_t *)(uintptr_t)json, key, value)
	{
		struct av_step step = {up, key, -1};
		bool milliseconds;
		const struct av_field_shape *f = field_of(shape, key, &milliseconds);
		if (!f) {
			unknown_key(t, shape, key, &step);
			continue;
		}
		if (json_is_null(value))
			continue;
		char *base = (char *)message;
		if (f->oneof) {
			uint32_t *chosen = (uint32_t *)(void *)(base + f->field->quantifier_offset);
			if (*chosen != 0) {
				FAULT(t, &step, CODE(CONTRADICTION),
					"stands beside another body: give one of them");
				continue;
			}
			*chosen = f->field->id;
		}
		if (f->form == AV_FORM_INSTANT && milliseconds) {
			char other[80];
			snprintf(other, sizeof other, "%.*s", (int)strlen(key) - 3, key);
			if (json_object_get(json, other)) {
				FAULT(t, &step, CODE(CONTRADICTION), "stands beside %s: give one of them",
					other);
				continue;
			}
		}
		if (f->repeated)
			take_list(t, f, value, &step, milliseconds, base);
		else
			take_value(t, f, value, &step, milliseconds, base + f->field->offset);
	}
	return message;
}

/* Is what the rules found at `path` a consequence of the fault at `earlier`? */
static bool follows_from(const char *path, const char *earlier)
{
	size_t size = strlen(earlier);
	if (size == 0)
		return true;
	if (strncmp(path, earlier, size) != 0)
		return false;
	const char *rest = path + size;
	return *rest == '\0' || *rest == '.' || *rest == '[' || strcmp(rest, "_ms") == 0;
}

/* Drops those of the faults from *rules on that follow from one in [*taken, *rules). */
static void drop_consequences(struct av_faults *faults, struct av_fault **taken, struct av_fault **rules)
{
	struct av_fault **at = rules, *first = *taken;
	while (*at) {
		const struct av_fault *f = first;
		while (f != *rules && !follows_from((*at)->path, f->path))
			f = f->next;
		if (f != *rules) {
			*at = (*at)->next;
			faults->count--;
		} else {
			at = &(*at)->next;
		}
	}
	faults->tail = at;
}

int av_json_take(const ProtobufCMessageDescriptor *type, const json_t *json, enum av_json_source source,
	struct av_arena *arena, struct av_faults *faults, ProtobufCMessage **ret_message)
{
	struct taking taking = {source, arena, faults};
	const struct av_shape *shape = av_shape_of(type);
	if (!shape)
		return AV_INTERNAL;
	if (!faults->tail)
		faults->tail = &faults->first;
	struct av_fault **taken = faults->tail;
	size_t count = faults->count;
	ProtobufCMessage *message = take_message(&taking, shape, json, NULL);
	if (!message || av_arena_failed(arena))
		return AV_MEMORY;
	bool refused = faults->count > count;
	struct av_fault **rules = faults->tail;
	refused |= av_rules_check(message, faults) < 0;
	if (*taken && rules != taken)
		drop_consequences(faults, taken, rules);
	if (refused)
		return AV_INVALID;
	*ret_message = message;
	return AV_OK;
}

int av_json_to(const ProtobufCMessageDescriptor *type, const json_t *json, struct av_arena *arena,
	struct av_faults *faults, ProtobufCMessage **ret_message)
{
	return av_json_take(type, json, AV_FROM_JSON, arena, faults, ret_message);
}
