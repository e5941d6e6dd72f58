/* json_in.h - the half of json.h that yaml.c shares. Private to wire. */
#ifndef AVVIK_WIRE_JSON_IN_H
#define AVVIK_WIRE_JSON_IN_H

#include "wire/json.h"

enum av_json_source {
	AV_FROM_JSON,
	AV_FROM_YAML, /* plain scalars that look like numbers, true or false are text where the field is one
		       */
};

/* As av_json_to. */
int av_json_take(const ProtobufCMessageDescriptor *type, const json_t *json, enum av_json_source source,
	struct av_arena *arena, struct av_faults *faults, ProtobufCMessage **ret_message);

#endif
