/* publish.h - a YAML file that is published whole, with every fault told by its place in the file. */
#ifndef AVVIK_PUBLISH_H
#define AVVIK_PUBLISH_H

#include "tool.h"
#include "wire/yaml.h"

struct published_file {
	const char *path;
	struct av_yaml *yaml;
	ProtobufCMessage *message;
	struct av_faults faults;
};

/* Reads the file as a message of this type. Faults are collected in ret_file->faults and not told yet; the
 * message is NULL when there are any. Close it in any case. AV_OK also with faults; AV_NOT_FOUND, AV_IO:
 * told. */
int published_open(struct tool *tool, const char *path, const ProtobufCMessageDescriptor *type,
	struct published_file *ret_file);
void published_close(struct published_file *file);
/* After more checks on the message: tells what was found and answers EXIT_DONE or EXIT_REFUSED. `from` is the
 * faults' tail before those checks: their paths get the marks of the file. */
int published_judge(
	struct tool *tool, struct published_file *file, struct av_fault **from, const char *sound);
/* Sends the order to intake; the daemon's faults begin with `prefix` ("directory."), and get the file's
 * marks. */
int published_send(struct tool *tool, struct published_file *file, const char *prefix, unsigned int number,
	ProtobufCMessage *order);

#endif
