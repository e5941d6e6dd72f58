/* yaml.h - YAML files through libyaml's events, with line marks: one checker for settings, principals,
 * directory, rule pack, reports. The tree becomes JSON values and goes the way of json.h; each fault's path is then
 * preceded by "file:line:column ".
 *
 * Bounded: 8 MiB, 1 000 000 nodes, depth 64, no aliases that make cycles (aliases are refused), duplicate keys are
 * faults. Scalars: plain true/false, integers and decimals keep their type where the field wants it; everything else is
 * text. In the tree a plain integer is a JSON integer only when it prints the same (007 is text); ~, null and nothing are
 * null, which is as if the key were not there. Tags are refused.
 */
#ifndef AVVIK_WIRE_YAML_H
#define AVVIK_WIRE_YAML_H

#include "wire/json.h"

struct av_yaml; /* a document: values and marks */

/* `name` stands in the faults. A file of several documents (---) gives each in turn through av_yaml_next. AV_MALFORMED
 * with a fault; AV_TOO_LARGE; AV_NOT_FOUND, AV_IO of the file. A key that is given twice is a fault, but the document
 * opens (av_yaml_to then answers AV_INVALID), so that the other faults can be listed too. */
int av_yaml_open_file(const char *path, struct av_faults *faults, struct av_yaml **ret_yaml);
int av_yaml_open(struct av_bytes text, const char *name, struct av_faults *faults, struct av_yaml **ret_yaml);
void av_yaml_close(struct av_yaml **yaml);
/* The current document's value; owned by the yaml. */
const json_t *av_yaml_json(const struct av_yaml *yaml);
/* To the next document: AV_OK, or AV_NOTHING at the end. */
int av_yaml_next(struct av_yaml *yaml, struct av_faults *faults);
/* "file:line:column" of a path ("units[3].code"; the nearest parent that has a mark). In the arena. */
const char *av_yaml_mark(const struct av_yaml *yaml, const char *path, struct av_arena *arena);

/* Both steps: the whole document as one message; every fault listed with its mark. */
int av_yaml_to(const struct av_yaml *yaml, const ProtobufCMessageDescriptor *type, struct av_arena *arena,
	struct av_faults *faults, ProtobufCMessage **ret_message);
/* A part of the current document as one message: `value` is what stands at `path` ("[3].report"; "": all of it), or a copy of
 * it without members that are no fields. Faults are marked as if the whole had been taken. */
int av_yaml_part(const struct av_yaml *yaml, const json_t *value, const char *path,
	const ProtobufCMessageDescriptor *type, struct av_arena *arena, struct av_faults *faults,
	ProtobufCMessage **ret_message);
/* Put the marks before the paths of faults that were found later (by checks on the message). */
void av_yaml_mark_faults(const struct av_yaml *yaml, struct av_fault *from, struct av_arena *arena);

#endif
