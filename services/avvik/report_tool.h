/* report_tool.h - what the files of `avvik report` share. */
#ifndef AVVIK_REPORT_TOOL_H
#define AVVIK_REPORT_TOOL_H

#include <jansson.h>
#include "ask.h"

#define REPORT_INPUT_MAX ((size_t)1 << 30)

/* One report of the input. Lives until the visitor returns. */
struct report_item {
	const char *source;	       /* "larmsystem.json[3]": where it stands */
	const char *reference;	       /* the sender's; "" : none was given */
	Avvik__V1__FileReport *report; /* NULL: it cannot be read, and the faults say why */
	const struct av_faults *faults;
	struct av_arena *arena;
};
/* Anything but AV_OK ends the walk and is answered. */
typedef int report_visitor(void *context, const struct report_item *item);
/* Every report of a file, of standard input (-), or of the files of a folder; JSON and YAML are told by the
 * content. A file that cannot be read is one item with faults. */
int report_items_each(struct tool *tool, const char *path, report_visitor *visit, void *context);
/* One document, JSON or YAML, as a JSON value (a new reference). NULL: told. `ret_yaml` is set when it was
 * YAML. */
struct av_yaml;
json_t *report_document(struct tool *tool, const char *path, struct av_yaml **ret_yaml);

/* A receipt with what it is for: the file that `report verify` reads. AV_OK, AV_IO: told. */
int receipt_save(struct tool *tool, const char *path, const char *reference,
	const Avvik__V1__Receipt *receipt, struct av_bytes packed);

int report_file(struct tool *tool, int argc, char **argv);
int report_receipt(struct tool *tool, int argc, char **argv);
int report_verify(struct tool *tool, int argc, char **argv);

#endif
