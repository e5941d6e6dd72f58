/* shape.c - makes the shapes once: a walk over the descriptors from the roots, into static memory.
 *
 * Looked up by the address of a descriptor, so that checking a message costs no comparison of names. The
 * tables are sized for the messages there are with room to grow; a test (and every start) ends at once when
 * they are too small.
 */
#include "wire/shape.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <avvik/v1/command.pb-c.h>
#include <avvik/v1/envelope.pb-c.h>
#include <avvik/v1/feed.pb-c.h>
#include <avvik/v1/settings.pb-c.h>

static const ProtobufCMessageDescriptor *const roots[] = {
	&avvik__v1__command__descriptor,
	&avvik__v1__reply__descriptor,
	&avvik__v1__event__descriptor,
	&avvik__v1__feed_request__descriptor,
	&avvik__v1__feed_reply__descriptor,
	&avvik__v1__summary_update__descriptor,
	&avvik__v1__grant_body__descriptor,
	&avvik__v1__case_text__descriptor,
	&avvik__v1__contact__descriptor,
	&avvik__v1__takeover_file__descriptor,
	&avvik__v1__settings__descriptor,
	&avvik__v1__principals__descriptor,
};

#define SHAPES_MAX 320
#define FIELDS_MAX 2000
#define ENUMS_MAX 96
#define NAMES_MAX 800
#define LETTERS_MAX 16384
#define SLOTS 1024 /* a power of two, more than twice the shapes and enums */

static struct av_shape shapes[SHAPES_MAX];
static struct av_field_shape fields[FIELDS_MAX];
static struct av_enum_shape enums[ENUMS_MAX];
static const char *names[NAMES_MAX];
static char letters[LETTERS_MAX];
static size_t shapes_made, fields_made, enums_made, names_made, letters_made;
static struct {
	const void *key, *value;
} slots[SLOTS];
static pthread_once_t once = PTHREAD_ONCE_INIT;

static size_t slot_of(const void *key)
{
	uint64_t mixed = ((uintptr_t)key >> 4) * UINT64_C(0x9e3779b97f4a7c15);
	size_t i = (size_t)(mixed >> 54);
	while (slots[i].key && slots[i].key != key)
		i = (i + 1) % SLOTS;
	return i;
}

static void keep(const void *key, const void *value)
{
	size_t i = slot_of(key);
	slots[i].key = key;
	slots[i].value = value;
}

/* Takes `count` of `made`; too few is a fault of this file, not of any input. */
static size_t take(size_t *made, size_t count, size_t max)
{
	size_t first = *made;
	if (count > max - first) {
		fputs("wire/shape.c: the tables are too small for the messages\n", stderr);
		abort();
	}
	*made += count;
	return first;
}

static const struct av_enum_shape *make_enum(const ProtobufCEnumDescriptor *type)
{
	size_t slot = slot_of(type);
	if (slots[slot].key)
		return slots[slot].value;
	struct av_enum_shape *shape = &enums[take(&enums_made, 1, ENUMS_MAX)];
	shape->type = type;
	shape->names = &names[take(&names_made, type->n_values, NAMES_MAX)];
	shape->dense = true;
	/* The zero value is <PREFIX>UNSPECIFIED. */
	size_t prefix = strlen(type->values[0].name) - strlen("UNSPECIFIED");
	for (unsigned i = 0; i < type->n_values; i++) {
		const char *name = type->values[i].name + prefix;
		char *to = &letters[take(&letters_made, strlen(name) + 1, LETTERS_MAX)];
		shape->names[i] = to;
		do
			*to++ = (char)(*name >= 'A' && *name <= 'Z' ? *name - 'A' + 'a' : *name);
		while (*name++);
		shape->dense = shape->dense && type->values[i].value == (int)i;
	}
	keep(type, shape);
	return shape;
}

static enum av_kind kind_of(ProtobufCType type)
{
	switch (type) {
	case PROTOBUF_C_TYPE_STRING:
		return AV_KIND_TEXT;
	case PROTOBUF_C_TYPE_BYTES:
		return AV_KIND_BYTES;
	case PROTOBUF_C_TYPE_BOOL:
		return AV_KIND_BOOL;
	case PROTOBUF_C_TYPE_ENUM:
		return AV_KIND_ENUM;
	case PROTOBUF_C_TYPE_INT32:
	case PROTOBUF_C_TYPE_SINT32:
	case PROTOBUF_C_TYPE_SFIXED32:
		return AV_KIND_INT32;
	case PROTOBUF_C_TYPE_UINT32:
	case PROTOBUF_C_TYPE_FIXED32:
		return AV_KIND_UINT32;
	case PROTOBUF_C_TYPE_INT64:
	case PROTOBUF_C_TYPE_SINT64:
	case PROTOBUF_C_TYPE_SFIXED64:
		return AV_KIND_INT64;
	case PROTOBUF_C_TYPE_UINT64:
	case PROTOBUF_C_TYPE_FIXED64:
		return AV_KIND_UINT64;
	case PROTOBUF_C_TYPE_DOUBLE:
		return AV_KIND_DOUBLE;
	case PROTOBUF_C_TYPE_MESSAGE:
		return AV_KIND_MESSAGE;
	case PROTOBUF_C_TYPE_FLOAT:
		break;
	}
	fputs("wire/shape.c: float is not used in avvik.v1\n", stderr);
	abort();
}

size_t av_kind_size(enum av_kind kind)
{
	/* clang-format off */
	static const unsigned char sizes[] = {
		[AV_KIND_TEXT] = sizeof(char *),             [AV_KIND_BYTES] = sizeof(ProtobufCBinaryData),
		[AV_KIND_BOOL] = sizeof(protobuf_c_boolean), [AV_KIND_ENUM] = sizeof(int),
		[AV_KIND_INT32] = sizeof(int32_t),           [AV_KIND_UINT32] = sizeof(uint32_t),
		[AV_KIND_INT64] = sizeof(int64_t),           [AV_KIND_UINT64] = sizeof(uint64_t),
		[AV_KIND_DOUBLE] = sizeof(double),           [AV_KIND_MESSAGE] = sizeof(void *),
	};
	/* clang-format on */
	return sizes[kind];
}

static bool ends(const char *name, const char *end)
{
	size_t n = strlen(name), e = strlen(end);
	return n >= e && strcmp(name + n - e, end) == 0;
}

static enum av_form form_of(const char *message, const ProtobufCFieldDescriptor *field, enum av_kind kind)
{
	if (kind == AV_KIND_BYTES && (ends(field->name, "_id") || ends(field->name, "_ids")))
		return AV_FORM_ID;
	if (kind == AV_KIND_INT64 && (ends(field->name, "_at_ms") || strcmp(field->name, "at_ms") == 0))
		return AV_FORM_INSTANT;
	if (kind == AV_KIND_INT32 && ends(field->name, "_on"))
		return AV_FORM_DAY;
	if ((strcmp(message, "EventsFound") == 0 && strcmp(field->name, "events") == 0) ||
		(strcmp(message, "FeedItem") == 0 && strcmp(field->name, "event") == 0))
		return AV_FORM_EVENT;
	return AV_FORM_PLAIN;
}

static const struct av_shape *make_shape(const ProtobufCMessageDescriptor *type);

static void make_field(const char *message, const ProtobufCFieldDescriptor *field, struct av_field_shape *f)
{
	f->field = field;
	f->kind = (unsigned char)kind_of(field->type);
	f->form = (unsigned char)form_of(message, field, f->kind);
	f->repeated = field->label == PROTOBUF_C_LABEL_REPEATED;
	f->oneof = (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0;
	f->rule = av_rule_row(message, field->name);
	if (f->rule) {
		f->flags = f->rule->flags;
		f->min = f->rule->min;
		f->items = f->repeated ? f->rule->max : 0;
		f->max = f->repeated ? f->rule->item_max : f->rule->max;
	}
	if (f->items == 0)
		f->items = AV_DEFAULT_ITEMS;
	if (f->max == 0 && (f->kind == AV_KIND_TEXT || f->kind == AV_KIND_BYTES))
		f->max = AV_DEFAULT_BYTES;
	if (f->form == AV_FORM_ID)
		f->flags |= AV_ID;
	if (f->kind == AV_KIND_ENUM)
		f->choices = make_enum(field->descriptor);
	if (f->kind == AV_KIND_MESSAGE)
		f->child = make_shape(field->descriptor);
}

static const struct av_shape *make_shape(const ProtobufCMessageDescriptor *type)
{
	size_t slot = slot_of(type);
	if (slots[slot].key)
		return slots[slot].value;
	struct av_shape *shape = &shapes[take(&shapes_made, 1, SHAPES_MAX)];
	shape->type = type;
	shape->fields = &fields[take(&fields_made, type->n_fields, FIELDS_MAX)];
	keep(type, shape);
	for (unsigned i = 0; i < type->n_fields; i++)
		make_field(type->short_name, &type->fields[i], &shape->fields[i]);
	return shape;
}

static void make_all(void)
{
	for (size_t i = 0; i < AV_COUNT(roots); i++)
		make_shape(roots[i]);
}

static const void *find(const void *key)
{
	pthread_once(&once, make_all);
	return slots[slot_of(key)].value;
}

const struct av_shape *av_shape_of(const ProtobufCMessageDescriptor *type)
{
	return find(type);
}

const struct av_enum_shape *av_enum_shape_of(const ProtobufCEnumDescriptor *type)
{
	return find(type);
}

int av_enum_place(const struct av_enum_shape *shape, int value)
{
	if (shape->dense)
		return value >= 0 && (unsigned)value < shape->type->n_values ? value : -1;
	for (unsigned i = 0; i < shape->type->n_values; i++)
		if (shape->type->values[i].value == value)
			return (int)i;
	return -1;
}

const struct av_shape *av_shape_at(size_t n)
{
	pthread_once(&once, make_all);
	return n < shapes_made ? &shapes[n] : NULL;
}

const struct av_enum_shape *av_enum_shape_at(size_t n)
{
	pthread_once(&once, make_all);
	return n < enums_made ? &enums[n] : NULL;
}
