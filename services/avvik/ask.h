/* ask.h - short ways to ask the daemons, to read files, and to say what came back. */
#ifndef AVVIK_ASK_H
#define AVVIK_ASK_H

#include <jansson.h>
#include "base/bytes.h"
#include "tool.h"

/* A query with this body (Command's field number). As tool_ask. */
bool ask(struct tool *tool, enum tool_daemon daemon, unsigned int number, ProtobufCMessage *body,
	Avvik__V1__Reply **ret_reply, int *ret_exit);
/* The same with the sender's reference, for orders that are safe to repeat. */
bool ask_as(struct tool *tool, enum tool_daemon daemon, const char *reference, unsigned int number,
	ProtobufCMessage *body, Avvik__V1__Reply **ret_reply, int *ret_exit);
/* "rules-4f1c…": a reference that follows from what is ordered. In the arena. */
const char *ask_reference(struct tool *tool, const char *prefix, struct av_bytes ordered);

/* The value of an enum by its name. AV_INVALID told already, with the names there are. UNSPECIFIED is none.
 */
int ask_enum(struct tool *tool, const char *option, const ProtobufCEnumDescriptor *type, const char *text,
	int *ret_value);
/* An enum for people: "follow up"; "" for UNSPECIFIED. In the arena. */
const char *ask_words(struct tool *tool, const ProtobufCEnumDescriptor *type, int value);
/* AV_INVALID told already. */
int ask_id(const char *text, struct av_id *ret_id);
int ask_daemon(const char *text, enum tool_daemon *ret_daemon);

/* Bytes of a message's field that live as long as `id`. */
static inline ProtobufCBinaryData ask_id_field(struct av_id *id)
{
	return (ProtobufCBinaryData){AV_ID_SIZE, id->bytes};
}

/* A whole file, or standard input for "-"; from malloc. AV_NOT_FOUND, AV_IO, AV_TOO_LARGE, AV_MEMORY: told.
 */
int ask_file(const char *path, size_t limit, char **ret_text, size_t *ret_size);
/* The same, but why it cannot be read is not told: in `why`. */
int ask_file_why(
	const char *path, size_t limit, char **ret_text, size_t *ret_size, char *why, size_t why_size);
/* "@FILE" and "-" stand for what is in the file and on standard input; else the text itself. In the arena;
 * NULL: told. */
const char *ask_text(struct tool *tool, const char *option, const char *text);

/* Prints each fault as "  path: text" to standard error. */
void ask_tell(const struct av_faults *faults);

/* "1 723" */
const char *ask_number(struct tool *tool, int64_t number);
/* "Monday 2026-06-22"; "" for 0. */
const char *ask_weekday(struct tool *tool, int32_t on);

/* A list that ends after so many items, and says so. Zeroed but for `left`: ready. */
#define LIMIT_DEFAULT 500
struct list_limit {
	int64_t left, shown;
	bool more; /* an item was left out */
};
/* One more item: false when it is left out. */
bool limit_take(struct list_limit *limit);
/* The words of --limit. False: told. */
bool limit_sound(const struct list_limit *limit);
/* The last line of a list that was cut; nothing in JSON. */
void limit_tell(const struct tool *tool, const struct list_limit *limit);

/* A field of a message as a file names it: "received_at" for received_at_ms. In the arena. */
const char *ask_field(struct tool *tool, const char *path);

/* Ctrl-C and SIGTERM end a command that follows something: from now on they are only noted. */
void ask_interrupts(void);
bool ask_interrupted(void);

/* Items of a list as JSON: "[", the items, "]". Zeroed is ready. */
struct json_list {
	size_t count;
};
void json_list_item(struct json_list *list, struct tool *tool, const ProtobufCMessage *message);
void json_list_value(struct json_list *list, json_t *value); /* takes the reference */
void json_list_end(struct json_list *list);

#endif
