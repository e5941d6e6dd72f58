/* rules.h - what values may stand in a message: one table for the wire, for JSON and for the YAML files.
 *
 * One row per field that has a rule. Fields without a row have the defaults: strings at most 400 bytes, bytes at most
 * 400, repeated at most 1000 items, enums a known value (UNSPECIFIED allowed, but not as an item of a list), *_id and
 * each of *_ids empty or 16 bytes, *_at_ms 0 or 1970..2200, *_on 0 or 1970..2200. The table lives in rules_table.c; a
 * test holds it against the descriptors.
 */
#ifndef AVVIK_WIRE_RULES_H
#define AVVIK_WIRE_RULES_H

#include "wire/message.h"

enum av_rule_flags { /* clang-format off */
	AV_REQUIRED = 1 << 0, /* not empty, not zero, not UNSPECIFIED, at least one item, message present */
	AV_CODE = 1 << 1,     /* A-Z a-z 0-9 _ . - , not empty when present */
	AV_ID = 1 << 2,	      /* 16 bytes when present */
	AV_HASH = 1 << 3,     /* 32 bytes when present */
	AV_MAIL = 1 << 4,     /* an address: one @, no white space, no control characters */
	AV_LINE = 1 << 5,     /* no newline or tab either */
	AV_KEPT = 1 << 6,     /* a fault in form or range is listed, but does not refuse the message: a report is not lost
			       * for its faults. Missing, unknown and too long still refuse. */
}; /* clang-format on */

struct av_field_rule { /* clang-format off */
	const char *message; /* "FileReport" */
	const char *field;   /* "unit" */
	int flags;
	uint32_t max;	     /* string, bytes: bytes; repeated: items; numbers: value; 0: the default */
	uint32_t item_max;   /* of each item of a repeated field: bytes, or value; 0: the default */
	uint32_t min;	     /* numbers, when not zero; string, bytes: at least so many, when not empty */
	const char *what;    /* "the code of the unit": what to give when it is missing; NULL: said by its type */
}; /* clang-format on */

/* Holds a message and all in it against the table. AV_INVALID with a fault for every value that breaks a rule; AV_OK also
 * when the only faults are in fields that are AV_KEPT (then they are in `faults`). AV_INTERNAL for a message that is not
 * of avvik.v1. */
int av_rules_check(const ProtobufCMessage *message, struct av_faults *faults);
/* An address that can stand in a header and in an SMTP command: one @, something before and after, no white space,
 * brackets or control characters, at most 254 bytes. Not NULL either. */
bool av_is_mail(const char *text);
/* NULL when the field has no row. For the test and for documents. */
const struct av_field_rule *av_rule_of(
	const ProtobufCMessageDescriptor *type, const ProtobufCFieldDescriptor *field);

#endif
