/* shape.h - what is known of each message beside its descriptor: the rules of its fields, how JSON writes
 * them, the names of enum values. Made once, for every message that the roots in shape.c reach. Private to
 * wire.
 */
#ifndef AVVIK_WIRE_SHAPE_H
#define AVVIK_WIRE_SHAPE_H

#include "wire/rules.h"

enum av_kind {
	AV_KIND_TEXT,
	AV_KIND_BYTES,
	AV_KIND_BOOL,
	AV_KIND_ENUM,
	AV_KIND_INT32,
	AV_KIND_UINT32,
	AV_KIND_INT64,
	AV_KIND_UINT64,
	AV_KIND_DOUBLE,
	AV_KIND_MESSAGE,
};

enum av_form {
	AV_FORM_PLAIN,
	AV_FORM_ID,	 /* 16 bytes: a UUID */
	AV_FORM_INSTANT, /* int64 milliseconds, name ends in at_ms */
	AV_FORM_DAY,	 /* int32 days, name ends in _on */
	AV_FORM_EVENT,	 /* bytes that hold a packed Event */
};

struct av_field_shape {
	const ProtobufCFieldDescriptor *field;
	const struct av_field_rule *rule;    /* NULL: the defaults */
	const struct av_shape *child;	     /* of a message */
	const struct av_enum_shape *choices; /* of an enum */
	int flags;			     /* of the rule and by the name */
	uint32_t max;			     /* bytes, or the value of a number; 0: any */
	uint32_t min;
	uint32_t items;		  /* of a repeated field, at most */
	unsigned char kind, form; /* av_kind, av_form */
	bool repeated, oneof;
};

struct av_shape {
	const ProtobufCMessageDescriptor *type;
	struct av_field_shape *fields; /* as many and in the same order as type->fields */
};

struct av_enum_shape {
	const ProtobufCEnumDescriptor *type;
	const char **names; /* as many and in the same order as type->values: lower-case, without prefix */
	bool dense;	    /* the values are 0, 1, 2, ... */
};

/* NULL for a type that no root reaches. */
const struct av_shape *av_shape_of(const ProtobufCMessageDescriptor *type);
const struct av_enum_shape *av_enum_shape_of(const ProtobufCEnumDescriptor *type);
/* The bytes that one value takes in memory. */
size_t av_kind_size(enum av_kind kind);
/* The place in type->values, or -1. */
int av_enum_place(const struct av_enum_shape *shape, int value);
/* All, for tests: the n-th, or NULL. */
const struct av_shape *av_shape_at(size_t n);
const struct av_enum_shape *av_enum_shape_at(size_t n);

/* The row of a field in the table of rules_table.c; NULL for none. */
const struct av_field_rule *av_rule_row(const char *message, const char *field);
/* The n-th row, or NULL. */
const struct av_field_rule *av_rule_row_at(size_t n);

#define AV_DEFAULT_BYTES 400
#define AV_DEFAULT_ITEMS 1000
#define AV_LAST_DAY 84370		       /* 2200-12-31 */
#define AV_LAST_INSTANT INT64_C(7289654399999) /* its last millisecond, UTC */

/* Is the member of the oneof, or the message, there? */
static inline bool av_field_present(const ProtobufCMessage *message, const struct av_field_shape *f)
{
	const char *base = (const char *)message;
	if (f->oneof)
		return *(const uint32_t *)(const void *)(base + f->field->quantifier_offset) == f->field->id;
	return f->kind != AV_KIND_MESSAGE || *(void *const *)(const void *)(base + f->field->offset) != NULL;
}

#endif
