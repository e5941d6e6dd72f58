/* rules.h - what values may stand in a message: one table for the wire, for JSON and for the YAML files.
 *
 * One row per field that has a rule. Fields without a row have the defaults: strings at most 400 bytes, bytes at most
 * 400, repeated at most 1000 items, enums a known value (UNSPECIFIED allowed), *_id empty or 16 bytes, *_at_ms 0 or
 * 1970..2200, *_on 0 or 1970..2200. The table lives in rules.c; a test holds it against the descriptors.
 */
#ifndef AVVIK_WIRE_RULES_H
#define AVVIK_WIRE_RULES_H

#include "wire/message.h"

enum av_rule_flags {
	AV_REQUIRED = 1 << 0, /* not empty, not zero, not UNSPECIFIED, at least one item, message present */
	AV_CODE = 1 << 1,     /* A-Z a-z 0-9 _ . - , not empty when present */
	AV_ID = 1 << 2,	      /* 16 bytes when present */
	AV_HASH = 1 << 3,     /* 32 bytes when present */
	AV_MAIL = 1 << 4,     /* an address: one @, no white space, no control characters */
	AV_LINE = 1 << 5,     /* no newline or tab either */
};

struct av_field_rule {
	const char *message; /* "FileReport" */
	const char *field;   /* "unit" */
	int flags;
	uint32_t max;	     /* string, bytes: bytes; repeated: items; numbers: value; 0: the default */
	uint32_t item_max;   /* repeated strings: bytes of each; 0: the default */
	uint32_t min;	     /* numbers, when not zero */
};

/* Holds a message and all in it against the table. AV_INVALID with a fault for every value that breaks a rule. */
int av_rules_check(const ProtobufCMessage *message, struct av_faults *faults);
/* NULL when the field has no row. For the test and for documents. */
const struct av_field_rule *av_rule_of(const ProtobufCMessageDescriptor *type, const ProtobufCFieldDescriptor *field);

#endif
