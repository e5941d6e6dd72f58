/* message.h - protobuf messages in and out, bounded and checked.
 *
 * Everything that a peer can send goes through av_message_unpack: the wire bytes are first walked without allocating
 * (sizes, nesting, number of fields and repeated items, UTF-8, NUL and control characters in strings), then unpacked
 * into the arena, then every value is held against the message's rules (rules.h). Nothing is allocated outside the
 * arena; the messages die with it, and are never freed one by one.
 */
#ifndef AVVIK_WIRE_MESSAGE_H
#define AVVIK_WIRE_MESSAGE_H

#include <protobuf-c/protobuf-c.h>
#include "base/arena.h"
#include "base/bytes.h"
#include "base/status.h"

#define AV_FAULTS_MAX 100 /* more are counted, not listed */

/* One thing that is wrong; texts live in the arena. `code` is an Avvik__V1__FaultCode. */
struct av_fault {
	int code;
	const char *path; /* "narrative.description", "units[3].code" */
	const char *text; /* what is wrong and the remedy; never what was sent */
	struct av_fault *next;
};

/* Collects faults in order. Zeroed with `arena` set is ready. */
struct av_faults {
	struct av_arena *arena;
	struct av_fault *first, **tail;
	size_t count;	    /* all, also those beyond AV_FAULTS_MAX */
	const char *prefix; /* put before every path, NULL for none */
};

void av_faults_init(struct av_faults *faults, struct av_arena *arena);
void av_fault(struct av_faults *faults, int code, const char *path, const char *text_format, ...)
	AV_PRINTF(4, 5);

struct av_wire_limits {
	size_t message_bytes; /* of the whole message */
	size_t fields;	      /* tags in the whole message, nested ones included */
	unsigned int depth;   /* nesting */
};
#define AV_WIRE_LIMITS_COMMAND ((struct av_wire_limits){256 * 1024, 4096, 12})
#define AV_WIRE_LIMITS_PUBLISH ((struct av_wire_limits){8 * 1024 * 1024, 1000000, 12})

/* Walks the wire bytes against the descriptor without allocating. AV_MALFORMED: not this message, truncated, wrong wire
 * type, bad UTF-8 or a control character other than tab, newline and carriage return in a string; AV_TOO_LARGE. One fault is added with
 * the path of the field as far as it is known. Unknown fields are passed over. */
int av_wire_scan(const ProtobufCMessageDescriptor *type, struct av_bytes wire, struct av_wire_limits limits,
	struct av_faults *faults);

/* Scan and unpack into the arena. On success *ret_message lives as long as the arena. AV_MALFORMED, AV_TOO_LARGE,
 * AV_MEMORY. Rules are not checked (see av_rules_check). */
int av_message_unpack(const ProtobufCMessageDescriptor *type, struct av_bytes wire,
	struct av_wire_limits limits, struct av_arena *arena, struct av_faults *faults,
	ProtobufCMessage **ret_message);

/* For bytes from the own store: no scan, AV_DAMAGED when they do not unpack. */
int av_message_load(const ProtobufCMessageDescriptor *type, struct av_bytes wire, struct av_arena *arena,
	ProtobufCMessage **ret_message);

/* Packs into the arena, fields in number order: the canonical form. data is NULL when out of memory. */
struct av_bytes av_message_pack(const ProtobufCMessage *message, struct av_arena *arena);

/* A deep copy in the arena. */
ProtobufCMessage *av_message_copy(const ProtobufCMessage *message, struct av_arena *arena);

/* A oneof's message by its field number: the member that is set in `message` (an Event, Command or Reply) at its oneof
 * named "body". NULL when nothing is set. */
const ProtobufCFieldDescriptor *av_body_field(const ProtobufCMessage *message);
const ProtobufCMessage *av_body(const ProtobufCMessage *message);
/* The field of a body by number or by the name of its message type ("ReportFiled"); NULL when there is none. */
const ProtobufCFieldDescriptor *av_body_field_by_number(
	const ProtobufCMessageDescriptor *type, unsigned int number);
const ProtobufCFieldDescriptor *av_body_field_by_type(
	const ProtobufCMessageDescriptor *type, const char *type_name);
/* Sets the body: `number` is the oneof's field number. */
void av_body_set(ProtobufCMessage *message, unsigned int number, ProtobufCMessage *body);

/* The name of an enum value without prefix, lower-case ("serious_risk"); "" for one that is not known. Static. */
const char *av_enum_name(const ProtobufCEnumDescriptor *type, int value);
/* AV_NOT_FOUND */
int av_enum_value(const ProtobufCEnumDescriptor *type, const char *name, int *ret_value);

/* A ProtobufCAllocator over an arena, for protobuf-c's own functions. */
ProtobufCAllocator av_arena_allocator(struct av_arena *arena);

#endif
