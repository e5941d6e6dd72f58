/* message.c - faults, packing and unpacking in an arena, bodies, enum names.
 *
 * Details of protobuf-c that matter here: a proto3 string that is absent points at protobuf_c_empty_string; a
 * oneof is a union at `offset`, with the number of the member that is set at `quantifier_offset`; fields
 * stand in number order in the descriptor, so packing is canonical; what protobuf-c frees goes to an
 * allocator whose free does nothing.
 */
#include "wire/message.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <avvik/v1/common.pb-c.h>
#include "wire/shape.h"

void av_faults_init(struct av_faults *faults, struct av_arena *arena)
{
	*faults = (struct av_faults){.arena = arena};
}

void av_fault(struct av_faults *faults, int code, const char *path, const char *text_format, ...)
{
	char text[1024];
	va_list args;
	if (faults->count++ >= AV_FAULTS_MAX)
		return;
	va_start(args, text_format);
	vsnprintf(text, sizeof text, text_format, args);
	va_end(args);
	struct av_fault *fault = av_arena_alloc(faults->arena, sizeof *fault);
	const char *whole = faults->prefix ? av_arena_printf(faults->arena, "%s%s", faults->prefix, path)
					   : av_arena_strdup(faults->arena, path);
	const char *copy = av_arena_strdup(faults->arena, text);
	if (!fault || !whole || !copy)
		return;
	*fault = (struct av_fault){.code = code, .path = whole, .text = copy};
	*(faults->tail ? faults->tail : &faults->first) = fault;
	faults->tail = &fault->next;
}

static void *arena_alloc(void *arena, size_t size)
{
	return av_arena_alloc(arena, size);
}

static void arena_free(void *arena, void *pointer)
{
	AV_UNUSED(arena);
	AV_UNUSED(pointer);
}

ProtobufCAllocator av_arena_allocator(struct av_arena *arena)
{
	return (ProtobufCAllocator){arena_alloc, arena_free, arena};
}

static int unpack(const ProtobufCMessageDescriptor *type, struct av_bytes wire, struct av_arena *arena,
	int otherwise, ProtobufCMessage **ret_message)
{
	ProtobufCAllocator allocator = av_arena_allocator(arena);
	ProtobufCMessage *message = protobuf_c_message_unpack(type, &allocator, wire.size, wire.data);
	if (!message)
		return av_arena_failed(arena) ? AV_MEMORY : otherwise;
	*ret_message = message;
	return AV_OK;
}

int av_message_unpack(const ProtobufCMessageDescriptor *type, struct av_bytes wire,
	struct av_wire_limits limits, struct av_arena *arena, struct av_faults *faults,
	ProtobufCMessage **ret_message)
{
	int status = av_wire_scan(type, wire, limits, faults);
	if (status < 0)
		return status;
	status = unpack(type, wire, arena, AV_MALFORMED, ret_message);
	if (status == AV_MALFORMED && faults)
		av_fault(faults, AVVIK__V1__FAULT_CODE__FAULT_CODE_MALFORMED, "",
			"the message cannot be read: pack it by the .proto files");
	return status;
}

int av_message_load(const ProtobufCMessageDescriptor *type, struct av_bytes wire, struct av_arena *arena,
	ProtobufCMessage **ret_message)
{
	return unpack(type, wire, arena, AV_DAMAGED, ret_message);
}

static bool in_oneof(const ProtobufCFieldDescriptor *field)
{
	return (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0;
}

/* A copy that for protobuf-c has only these fields; `type` must outlive it. */
static ProtobufCMessage *piece_of(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *fields,
	unsigned count, struct av_arena *arena, ProtobufCMessageDescriptor *type)
{
	ProtobufCMessage *piece = av_arena_copy(arena, message, message->descriptor->sizeof_message);
	*type = *message->descriptor;
	type->fields = fields;
	type->n_fields = count;
	if (piece)
		piece->descriptor = type;
	return piece;
}

/* protobuf-c looks at each member of a oneof, for the size and again for the bytes: in Event that is seventy-six
 * bodies for the one that is set. Members stand last in every message of avvik.v1 (a test holds them to it), so the
 * fields before them and the one that is set, packed one behind the other, are the same bytes. */
static struct av_bytes pack_with_body(
	const ProtobufCMessage *message, const ProtobufCFieldDescriptor *body, struct av_arena *arena)
{
	const ProtobufCMessageDescriptor *type = message->descriptor;
	ProtobufCMessageDescriptor head_type, body_type;
	unsigned plain = 0;
	while (!in_oneof(&type->fields[plain]))
		plain++;
	ProtobufCMessage *head = piece_of(message, type->fields, plain, arena, &head_type),
			 *rest = piece_of(message, body, 1, arena, &body_type);
	if (!head || !rest)
		return av_bytes(NULL, 0);
	head->n_unknown_fields = 0; /* they come last, with the body */
	size_t size = protobuf_c_message_get_packed_size(head) + protobuf_c_message_get_packed_size(rest);
	unsigned char *data = av_arena_alloc(arena, size);
	if (!data)
		return av_bytes(NULL, 0);
	size_t packed = protobuf_c_message_pack(head, data);
	return av_bytes(data, packed + protobuf_c_message_pack(rest, data + packed));
}

struct av_bytes av_message_pack(const ProtobufCMessage *message, struct av_arena *arena)
{
	const ProtobufCFieldDescriptor *body = av_body_field(message);
	if (body)
		return pack_with_body(message, body, arena);
	size_t size = protobuf_c_message_get_packed_size(message);
	unsigned char *data = av_arena_alloc(arena, AV_MAX(size, 1));
	if (!data)
		return av_bytes(NULL, 0);
	return av_bytes(data, protobuf_c_message_pack(message, data));
}

ProtobufCMessage *av_message_copy(const ProtobufCMessage *message, struct av_arena *arena)
{
	ProtobufCMessage *copy = NULL;
	struct av_bytes wire = av_message_pack(message, arena);
	if (!wire.data || av_message_load(message->descriptor, wire, arena, &copy) < 0)
		return NULL;
	return copy;
}

const ProtobufCFieldDescriptor *av_body_field(const ProtobufCMessage *message)
{
	const ProtobufCMessageDescriptor *type = message->descriptor;
	for (unsigned i = 0; i < type->n_fields; i++) {
		if (!in_oneof(&type->fields[i]))
			continue;
		const char *base = (const char *)message;
		uint32_t number = *(const uint32_t *)(const void *)(base + type->fields[i].quantifier_offset);
		return number == 0 ? NULL : av_body_field_by_number(type, number);
	}
	return NULL;
}

const ProtobufCMessage *av_body(const ProtobufCMessage *message)
{
	const ProtobufCFieldDescriptor *field = av_body_field(message);
	if (!field)
		return NULL;
	return *(ProtobufCMessage *const *)(const void *)((const char *)message + field->offset);
}

const ProtobufCFieldDescriptor *av_body_field_by_number(
	const ProtobufCMessageDescriptor *type, unsigned int number)
{
	const ProtobufCFieldDescriptor *field = protobuf_c_message_descriptor_get_field(type, number);
	return field && in_oneof(field) ? field : NULL;
}

const ProtobufCFieldDescriptor *av_body_field_by_type(
	const ProtobufCMessageDescriptor *type, const char *type_name)
{
	for (unsigned i = 0; i < type->n_fields; i++) {
		const ProtobufCFieldDescriptor *field = &type->fields[i];
		if (!in_oneof(field) || field->type != PROTOBUF_C_TYPE_MESSAGE)
			continue;
		const ProtobufCMessageDescriptor *body = field->descriptor;
		if (strcmp(body->short_name, type_name) == 0)
			return field;
	}
	return NULL;
}

void av_body_set(ProtobufCMessage *message, unsigned int number, ProtobufCMessage *body)
{
	const ProtobufCFieldDescriptor *field = av_body_field_by_number(message->descriptor, number);
	if (!field)
		return;
	char *base = (char *)message;
	*(uint32_t *)(void *)(base + field->quantifier_offset) = number;
	*(ProtobufCMessage **)(void *)(base + field->offset) = body;
}

const char *av_enum_name(const ProtobufCEnumDescriptor *type, int value)
{
	const struct av_enum_shape *shape = av_enum_shape_of(type);
	int place = shape ? av_enum_place(shape, value) : -1;
	return place < 0 ? "" : shape->names[place];
}

int av_enum_value(const ProtobufCEnumDescriptor *type, const char *name, int *ret_value)
{
	const struct av_enum_shape *shape = av_enum_shape_of(type);
	for (unsigned i = 0; shape && i < type->n_values; i++) {
		if (strcmp(shape->names[i], name) == 0) {
			*ret_value = type->values[i].value;
			return AV_OK;
		}
	}
	return AV_NOT_FOUND;
}
