/* scan.c - the walk over wire bytes before anything is allocated.
 *
 * protobuf-c believes what it reads: this walk makes sure that it may. It refuses what protobuf-c would
 * refuse, and also what it would take at a price: texts that are not text, thousands of empty messages in a
 * few bytes, a singular field given twice (which protobuf merges, with quadratic cost), nesting without end.
 * Unknown fields are passed over, but counted.
 */
#include "wire/message.h"

#include <avvik/v1/common.pb-c.h>
#include "wire/text.h"

enum wire_type { VARINT = 0, FIXED64 = 1, BLOCK = 2, FIXED32 = 5 };

#define FIELDS_MARKED 128 /* more fields than any message has; a test holds the descriptors against it */
#define STEPS_MAX 64

struct walk {
	struct av_wire_limits limits;
	struct av_faults *faults;
	size_t fields;
};

/* One message that is being walked; the chain of them is the path. */
struct level {
	const struct level *up;
	const unsigned char *start, *at; /* of the message, of the tag in hand */
	const ProtobufCFieldDescriptor *field;
	unsigned int depth;
};

static const unsigned char *read_varint(const unsigned char *p, const unsigned char *end, uint64_t *ret)
{
	uint64_t value = 0;
	for (unsigned shift = 0; shift < 70 && p < end; shift += 7) {
		unsigned char byte = *p++;
		value |= shift < 64 ? (uint64_t)(byte & 0x7f) << shift : 0;
		if (byte < 0x80) {
			*ret = value;
			return p;
		}
	}
	return NULL;
}

/* Past one value of a wire type, NULL when it ends too early or is a group. */
static const unsigned char *pass(
	const unsigned char *p, const unsigned char *end, unsigned wire, size_t *ret_block)
{
	uint64_t number;
	size_t size;
	switch (wire) {
	case VARINT:
		return read_varint(p, end, &number);
	case FIXED64:
		size = 8;
		break;
	case FIXED32:
		size = 4;
		break;
	case BLOCK:
		p = read_varint(p, end, &number);
		if (!p || number > (uint64_t)(end - p))
			return NULL;
		*ret_block = size = (size_t)number;
		break;
	default:
		return NULL;
	}
	return size <= (size_t)(end - p) ? p + size : NULL;
}

/* How many of the field came before the one in hand. Only walked when there is a fault to name. */
static ptrdiff_t place(const struct level *level)
{
	ptrdiff_t count = 0;
	for (const unsigned char *p = level->start; p && p < level->at;) {
		uint64_t tag;
		size_t block;
		p = read_varint(p, level->at, &tag);
		if (p && tag >> 3 == level->field->id)
			count++;
		p = p ? pass(p, level->at, tag & 7, &block) : NULL;
	}
	return count;
}

static int fault(const struct walk *walk, const struct level *level, int status, int code, const char *text)
{
	struct av_step steps[STEPS_MAX];
	size_t used = STEPS_MAX;
	const struct av_step *last = NULL;
	if (!walk->faults)
		return status;
	/* The steps go from the inside out; what does not fit is the outermost. */
	for (; level && used > 0; level = level->up) {
		if (!level->field)
			continue;
		bool repeated = level->field->label == PROTOBUF_C_LABEL_REPEATED;
		used--;
		steps[used] = (struct av_step){NULL, level->field->name, repeated ? place(level) : -1};
		if (used + 1 < STEPS_MAX)
			steps[used + 1].up = &steps[used];
		else
			last = &steps[used];
	}
	av_fault(walk->faults, code, av_path_text(last, walk->faults->arena), "%s", text);
	return status;
}

static int malformed(const struct walk *walk, const struct level *level, const char *text)
{
	return fault(walk, level, AV_MALFORMED, AVVIK__V1__FAULT_CODE__FAULT_CODE_MALFORMED, text);
}

static int too_large(const struct walk *walk, const struct level *level, const char *text)
{
	return fault(walk, level, AV_TOO_LARGE, AVVIK__V1__FAULT_CODE__FAULT_CODE_TOO_LONG, text);
}

static int too_many(const struct walk *walk, const struct level *level)
{
	return too_large(
		walk, level, "makes the message hold more fields than are read: send less in one message");
}

static unsigned wire_of(ProtobufCType type)
{
	switch (type) {
	case PROTOBUF_C_TYPE_STRING:
	case PROTOBUF_C_TYPE_BYTES:
	case PROTOBUF_C_TYPE_MESSAGE:
		return BLOCK;
	case PROTOBUF_C_TYPE_DOUBLE:
	case PROTOBUF_C_TYPE_FIXED64:
	case PROTOBUF_C_TYPE_SFIXED64:
		return FIXED64;
	case PROTOBUF_C_TYPE_FLOAT:
	case PROTOBUF_C_TYPE_FIXED32:
	case PROTOBUF_C_TYPE_SFIXED32:
		return FIXED32;
	default:
		return VARINT;
	}
}

/* The numbers of a packed field, each of which becomes four or eight bytes in memory. */
static int scan_packed(
	struct walk *walk, const struct level *level, const unsigned char *p, size_t size, unsigned wire)
{
	size_t count = 0;
	if (wire == VARINT) {
		unsigned run = 0;
		for (size_t i = 0; i < size; i++) {
			run++;
			if (run > 10)
				return malformed(walk, level, "holds a number that has no end: pack it anew");
			if (p[i] < 0x80) {
				count++;
				run = 0;
			}
		}
		if (run > 0)
			return malformed(
				walk, level, "ends in the middle of a number: send the whole message");
	} else {
		size_t each = wire == FIXED64 ? 8 : 4;
		if (size % each != 0)
			return malformed(
				walk, level, "ends in the middle of a number: send the whole message");
		count = size / each;
	}
	if (count > walk->limits.fields - walk->fields)
		return too_many(walk, level);
	walk->fields += count;
	return AV_OK;
}

static int scan_message(struct walk *walk, const ProtobufCMessageDescriptor *type, const unsigned char *p,
	const unsigned char *end, const struct level *up);

/* A block of known field `level->field`: text, bytes, message or packed numbers. */
static int scan_block(struct walk *walk, const struct level *level, const unsigned char *p, size_t size)
{
	const ProtobufCFieldDescriptor *field = level->field;
	if (field->type == PROTOBUF_C_TYPE_MESSAGE)
		return scan_message(walk, field->descriptor, p, p + size, level);
	if (field->type == PROTOBUF_C_TYPE_STRING) {
		enum av_text_fault bad = av_text_check(p, size);
		if (bad != AV_TEXT_FINE)
			return fault(walk, level, AV_MALFORMED, AVVIK__V1__FAULT_CODE__FAULT_CODE_NOT_TEXT,
				av_text_remedy(bad));
	} else if (field->type != PROTOBUF_C_TYPE_BYTES) {
		return scan_packed(walk, level, p, size, wire_of(field->type));
	}
	return AV_OK;
}

/* Fields mostly come in the order of their numbers: try the one in hand and the next before searching. */
static unsigned find_field(const ProtobufCMessageDescriptor *type, uint64_t number, unsigned guess)
{
	/* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): where there are fields there is their table */
	if (guess < type->n_fields && type->fields[guess].id == number)
		return guess;
	if (guess + 1 < type->n_fields && type->fields[guess + 1].id == number)
		return guess + 1;
	const ProtobufCFieldDescriptor *field =
		protobuf_c_message_descriptor_get_field(type, (unsigned)number);
	return field ? (unsigned)(field - type->fields) : type->n_fields;
}

static int scan_message(struct walk *walk, const ProtobufCMessageDescriptor *type, const unsigned char *p,
	const unsigned char *end, const struct level *up)
{
	struct level level = {.up = up, .start = p, .depth = up ? up->depth + 1 : 1};
	uint64_t seen[FIELDS_MARKED / 64] = {0};
	bool oneof_seen = false;
	unsigned index = 0;
	if (level.depth > walk->limits.depth)
		return too_large(
			walk, &level, "is nested too deeply: send a message as the .proto files say");
	while (p < end) {
		uint64_t tag;
		size_t size = 0;
		level.at = p;
		level.field = NULL;
		p = read_varint(p, end, &tag);
		if (!p || tag > UINT32_MAX || tag >> 3 == 0)
			return malformed(
				walk, &level, "is not a message of this kind: pack it by the .proto files");
		if (walk->fields++ >= walk->limits.fields)
			return too_many(walk, &level);
		index = find_field(type, tag >> 3, index);
		const ProtobufCFieldDescriptor *field = index < type->n_fields ? &type->fields[index] : NULL;
		level.field = field;
		p = pass(p, end, tag & 7, &size);
		if (!p)
			return malformed(
				walk, &level, "ends too early or is a group: send the whole message");
		if (!field) {
			index = 0;
			continue;
		}
		bool repeated = field->label == PROTOBUF_C_LABEL_REPEATED;
		unsigned wire = wire_of(field->type);
		if ((tag & 7) != wire && !(repeated && (tag & 7) == BLOCK))
			return malformed(
				walk, &level, "is of another type on the wire: pack it by the .proto files");
		if (!repeated) {
			bool oneof = (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0;
			uint64_t bit = UINT64_C(1) << index % 64;
			if ((seen[index / 64 % AV_COUNT(seen)] & bit) || (oneof && oneof_seen))
				return malformed(walk, &level, "is given twice: give it once");
			seen[index / 64 % AV_COUNT(seen)] |= bit;
			oneof_seen |= oneof;
		}
		if ((tag & 7) == BLOCK) {
			int status = scan_block(walk, &level, p - size, size);
			if (status < 0)
				return status;
		}
	}
	return AV_OK;
}

int av_wire_scan(const ProtobufCMessageDescriptor *type, struct av_bytes wire, struct av_wire_limits limits,
	struct av_faults *faults)
{
	struct walk walk = {limits, faults, 0};
	if (wire.size > limits.message_bytes) {
		if (faults) {
			char is[AV_NUMBER_TEXT], most[AV_NUMBER_TEXT];
			av_fault(faults, AVVIK__V1__FAULT_CODE__FAULT_CODE_TOO_LONG, "",
				"the message is %s bytes: at most %s are read, so send less in one message",
				av_number_text(wire.size, is), av_number_text(limits.message_bytes, most));
		}
		return AV_TOO_LARGE;
	}
	if (wire.size == 0)
		return AV_OK;
	return scan_message(&walk, type, wire.data, (const unsigned char *)wire.data + wire.size, NULL);
}
