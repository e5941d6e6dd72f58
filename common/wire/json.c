/* json.c - messages out as JSON, and JSON text in as a tree. What goes from the tree to a message is
 * json_in.c.
 *
 * The keys come in the order of the field numbers. A time or day that no calendar text can say (it was never
 * checked) is printed as its number, under the full name.
 */
#include "wire/json.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <avvik/v1/common.pb-c.h>
#include <avvik/v1/envelope.pb-c.h>
#include "base/date.h"
#include "base/ids.h"
#include "wire/shape.h"

static json_t *message_json(const struct av_shape *shape, const ProtobufCMessage *message);

static json_t *hex_json(const ProtobufCBinaryData *bytes)
{
	char *text = malloc(2 * bytes->len + 1);
	if (!text)
		return NULL;
	av_hex(bytes->data, bytes->len, text);
	json_t *json = json_string(text);
	free(text);
	return json;
}

static json_t *bytes_json(const struct av_field_shape *f, const ProtobufCBinaryData *bytes)
{
	if (f->form == AV_FORM_ID && bytes->len == AV_ID_SIZE) {
		struct av_id id;
		char text[AV_ID_TEXT];
		memcpy(id.bytes, bytes->data, AV_ID_SIZE);
		av_id_text(&id, text);
		return json_string(text);
	}
	if (f->form == AV_FORM_EVENT) {
		/* They came as bytes inside a message, so no walk has seen them yet: what is no readable
		 * event stays hex. */
		const ProtobufCMessageDescriptor *type = &avvik__v1__event__descriptor;
		struct av_bytes wire = av_bytes(bytes->data, bytes->len);
		ProtobufCMessage *event =
			av_wire_scan(type, wire, AV_WIRE_LIMITS_PUBLISH, NULL) == AV_OK
				? protobuf_c_message_unpack(type, NULL, bytes->len, bytes->data)
				: NULL;
		if (event) {
			json_t *json = message_json(av_shape_of(type), event);
			protobuf_c_message_free_unpacked(event, NULL);
			return json;
		}
	}
	return hex_json(bytes);
}

static bool sayable(const struct av_field_shape *f, int64_t number)
{
	return number >= 0 && number <= (f->form == AV_FORM_DAY ? AV_LAST_DAY : AV_LAST_INSTANT);
}

static json_t *int_json(const struct av_field_shape *f, int64_t number)
{
	if (f->form == AV_FORM_INSTANT && sayable(f, number)) {
		char text[AV_INSTANT_TEXT];
		av_instant_text(number, text);
		return json_string(text);
	}
	if (f->form == AV_FORM_DAY && sayable(f, number)) {
		char text[AV_DATE_TEXT];
		av_day_text((av_day)number, text);
		return json_string(text);
	}
	return json_integer(number);
}

static json_t *uint_json(uint64_t number)
{
	if (number <= INT64_MAX)
		return json_integer((json_int_t)number);
	char text[24];
	snprintf(text, sizeof text, "%" PRIu64, number);
	return json_string(text);
}

static json_t *value_json(const struct av_field_shape *f, const void *at)
{
	switch ((enum av_kind)f->kind) {
	case AV_KIND_TEXT:
		return json_string(*(char *const *)at);
	case AV_KIND_BYTES:
		return bytes_json(f, at);
	case AV_KIND_BOOL:
		return json_boolean(*(const protobuf_c_boolean *)at);
	case AV_KIND_ENUM: {
		int place = av_enum_place(f->choices, *(const int *)at);
		return place < 0 ? json_integer(*(const int *)at) : json_string(f->choices->names[place]);
	}
	case AV_KIND_INT32:
		return int_json(f, *(const int32_t *)at);
	case AV_KIND_UINT32:
		return json_integer(*(const uint32_t *)at);
	case AV_KIND_INT64:
		return int_json(f, *(const int64_t *)at);
	case AV_KIND_UINT64:
		return uint_json(*(const uint64_t *)at);
	case AV_KIND_DOUBLE: {
		double number = *(const double *)at;
		return isfinite(number) ? json_real(number) : json_null();
	}
	case AV_KIND_MESSAGE:
		return message_json(f->child, *(ProtobufCMessage *const *)at);
	}
	return NULL;
}

/* What is left out: zero, empty, UNSPECIFIED; a message only when it is not there. */
static bool empty(const struct av_field_shape *f, const void *at)
{
	switch ((enum av_kind)f->kind) {
	case AV_KIND_TEXT: {
		const char *text = *(char *const *)at;
		return !text || !*text;
	}
	case AV_KIND_BYTES:
		return ((const ProtobufCBinaryData *)at)->len == 0;
	case AV_KIND_BOOL:
		return !*(const protobuf_c_boolean *)at;
	case AV_KIND_ENUM:
	case AV_KIND_INT32:
	case AV_KIND_UINT32:
		return *(const uint32_t *)at == 0;
	case AV_KIND_INT64:
	case AV_KIND_UINT64:
		return *(const uint64_t *)at == 0;
	case AV_KIND_DOUBLE:
		return fpclassify(*(const double *)at) == FP_ZERO;
	case AV_KIND_MESSAGE:
		return false;
	}
	return true;
}

static json_t *list_json(const struct av_field_shape *f, size_t count, const char *items)
{
	json_t *list = json_array();
	for (size_t i = 0; list && i < count; i++) {
		if (json_array_append_new(list, value_json(f, items + i * av_kind_size(f->kind))) < 0) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}

static int put_field(json_t *object, const struct av_field_shape *f, const ProtobufCMessage *message)
{
	const char *base = (const char *)message, *at = base + f->field->offset;
	char key[80];
	json_t *value;
	snprintf(key, sizeof key, "%s", f->field->name);
	if (f->repeated) {
		size_t count = *(const size_t *)(const void *)(base + f->field->quantifier_offset);
		if (count == 0)
			return 0;
		value = list_json(f, count, *(const char *const *)(const void *)at);
	} else {
		if (!av_field_present(message, f) || empty(f, at))
			return 0;
		value = value_json(f, at);
	}
	if (f->form == AV_FORM_INSTANT && !json_is_integer(value))
		key[strlen(key) - strlen("_ms")] = '\0';
	return json_object_set_new(object, key, value);
}

static json_t *message_json(const struct av_shape *shape, const ProtobufCMessage *message)
{
	json_t *object = json_object();
	for (unsigned i = 0; object && i < shape->type->n_fields; i++) {
		if (put_field(object, &shape->fields[i], message) < 0) {
			json_decref(object);
			return NULL;
		}
	}
	return object;
}

json_t *av_json_from(const ProtobufCMessage *message)
{
	const struct av_shape *shape = av_shape_of(message->descriptor);
	return shape ? message_json(shape, message) : NULL;
}

char *av_json_text(const ProtobufCMessage *message, int indent, struct av_arena *arena)
{
	json_t *json = av_json_from(message);
	size_t flags = indent > 0 ? JSON_INDENT((size_t)indent) : JSON_COMPACT;
	char *text = json ? json_dumps(json, flags) : NULL;
	json_decref(json);
	char *copy = text ? av_arena_strdup(arena, text) : NULL;
	free(text);
	return copy;
}

const char *av_json_syntax_text(const json_error_t *error)
{
	switch (json_error_code(error)) {
	case json_error_premature_end_of_input:
		return "the text ends too early: close every brace, bracket and quote";
	case json_error_end_of_input_expected:
		return "something follows the end: give one object";
	case json_error_invalid_utf8:
		return "is not UTF-8: save the text as UTF-8";
	case json_error_duplicate_key:
		return "a key is given twice in one object: give it once";
	case json_error_null_character:
	case json_error_null_byte_in_key:
		return "has a NUL character: leave it out";
	case json_error_numeric_overflow:
		return "a number is too large";
	case json_error_stack_overflow:
		return "is nested too deeply";
	case json_error_out_of_memory:
		return "there is too little memory to read it";
	default:
		return "is not JSON: look for a missing comma, quote, brace or bracket";
	}
}

int av_json_parse(struct av_bytes text, struct av_faults *faults, json_t **ret_json)
{
	json_error_t error;
	if (text.size > AV_WIRE_LIMITS_PUBLISH.message_bytes) {
		av_fault(faults, AVVIK__V1__FAULT_CODE__FAULT_CODE_TOO_LONG, "",
			"the text is too large: at most 8 MiB are read");
		return AV_TOO_LARGE;
	}
	json_t *json = json_loadb(
		text.size ? text.data : "", text.size, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
	if (!json) {
		if (json_error_code(&error) == json_error_out_of_memory)
			return AV_MEMORY;
		av_fault(faults, AVVIK__V1__FAULT_CODE__FAULT_CODE_MALFORMED, "", "line %d, column %d: %s",
			error.line, error.column, av_json_syntax_text(&error));
		return AV_MALFORMED;
	}
	*ret_json = json;
	return AV_OK;
}
