/* json.h - protobuf-c messages to and from JSON and YAML, from the descriptors.
 *
 * Names are the fields' names. *_id is a UUID, other bytes are lower-case hex. *_at_ms loses its `_ms` in the key and is local ISO 8601
 * (in: also with Z or without zone, or a number of milliseconds under the full name); *_on keeps its name and is
 * "2026-06-22". Enums are the value's name without prefix, lower-case. 64-bit numbers are JSON numbers. A oneof is the
 * member's own key. Values that are zero, empty or UNSPECIFIED are left out on the way out. Nested Event bytes
 * (EventsFound.events, FeedItem.event) are opened.
 */
#ifndef AVVIK_WIRE_JSON_H
#define AVVIK_WIRE_JSON_H

#include <jansson.h>
#include "wire/message.h"

/* A new reference, or NULL when out of memory. */
json_t *av_json_from(const ProtobufCMessage *message);
/* As text in the arena; indent 0: one line. NULL when out of memory. */
char *av_json_text(const ProtobufCMessage *message, int indent, struct av_arena *arena);

/* Every fault is listed: unknown keys (with the nearest known one), wrong types, unknown enum names, bad times and ids;
 * then the rules are checked. AV_INVALID when there is a fault; AV_MEMORY. */
int av_json_to(const ProtobufCMessageDescriptor *type, const json_t *json, struct av_arena *arena,
	struct av_faults *faults, ProtobufCMessage **ret_message);

/* What is wrong with the text. jansson's own texts quote what was sent: a personal number, for one. */
const char *av_json_syntax_text(const json_error_t *error);
/* JSON text; a syntax error is a fault with line and column. */
int av_json_parse(struct av_bytes text, struct av_faults *faults, json_t **ret_json);

#endif
