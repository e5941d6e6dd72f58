/* yaml.c - libyaml's events into a tree of JSON values, beside a tree of marks.
 *
 * Events, not libyaml's own document tree: so depth, nodes and aliases are bounded while reading, before
 * memory is spent. The marks are found again from a path ("units[3].code") when there is a fault to place, by
 * walking the tree: faults are few, nodes are many.
 */
#include "wire/yaml.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>
#include <avvik/v1/common.pb-c.h>
#include "wire/json_in.h"
#include "wire/text.h"

#define BYTES_MAX (8 * 1024 * 1024)
#define NODES_MAX 1000000
#define DEPTH_MAX 64
#define CODE(name) AVVIK__V1__FAULT_CODE__FAULT_CODE_##name

struct node {
	const char *key;       /* of a member of a mapping */
	uint32_t line, column; /* from 1: of the key, or of the item */
	struct node *first, *next;
};

struct av_yaml {
	yaml_parser_t parser;
	struct av_arena *arena; /* text and name, then the nodes of the document */
	char *text, *name;
	struct av_bytes input; /* of the text, what is read */
	json_t *json;
	struct node *root;
	size_t nodes;
	bool refused; /* a key was given twice */
};

/* A list or mapping that is open. */
struct level {
	struct node *node, **tail;
	json_t *json;
	const char *key; /* of the value to come; NULL: a key comes */
	yaml_mark_t key_mark;
};

struct building {
	struct av_yaml *yaml;
	struct av_faults *faults;
	struct level levels[DEPTH_MAX];
	size_t depth;
};

static int refuse(const struct av_yaml *yaml, struct av_faults *faults, yaml_mark_t mark, int status,
	int code, const char *text)
{
	char place[512];
	snprintf(place, sizeof place, "%s:%zu:%zu", yaml->name, mark.line + 1, mark.column + 1);
	av_fault(faults, code, place, "%s", text);
	return status;
}

static int refuse_event(const struct building *b, const yaml_event_t *event, const char *text)
{
	return refuse(b->yaml, b->faults, event->start_mark, AV_MALFORMED, CODE(MALFORMED), text);
}

/* libyaml reads ahead of its own marks: of a byte that is no text it knows the offset alone. */
static yaml_mark_t mark_at(struct av_bytes input, size_t offset)
{
	const char *text = input.data;
	yaml_mark_t mark = {0};
	for (size_t i = 0; i < AV_MIN(offset, input.size); i++) {
		bool ends = text[i] == '\n', continues = (text[i] & 0xc0) == 0x80;
		mark.line += ends;
		mark.column = ends ? 0 : mark.column + !continues;
	}
	return mark;
}

static int next_event(struct av_yaml *yaml, struct av_faults *faults, yaml_event_t *ret_event)
{
	if (yaml_parser_parse(&yaml->parser, ret_event))
		return AV_OK;
	if (yaml->parser.error == YAML_MEMORY_ERROR)
		return AV_MEMORY;
	char text[256];
	bool reader = yaml->parser.error == YAML_READER_ERROR;
	yaml_mark_t mark =
		reader ? mark_at(yaml->input, yaml->parser.problem_offset) : yaml->parser.problem_mark;
	/* libyaml's problems are fixed texts; they never quote the file. */
	snprintf(text, sizeof text, "%s: %s%s", reader ? "is not text in UTF-8" : "is not YAML",
		yaml->parser.problem ? yaml->parser.problem : "look here",
		reader ? "; save the file as UTF-8" : "");
	return refuse(yaml, faults, mark, AV_MALFORMED, CODE(MALFORMED), text);
}

/* Digits that an integer would be printed as. */
static bool is_integer(const char *text)
{
	const char *p = text + (*text == '-');
	if (*p == '0')
		return p == text && p[1] == '\0';
	size_t digits = strspn(p, "0123456789");
	return digits > 0 && digits <= 18 && p[digits] == '\0';
}

static json_t *scalar_json(const yaml_event_t *event)
{
	const char *text = (const char *)event->data.scalar.value;
	if (event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE && !event->data.scalar.tag) {
		if (!*text || strcmp(text, "~") == 0 || strcmp(text, "null") == 0)
			return json_null();
		if (strcmp(text, "true") == 0 || strcmp(text, "false") == 0)
			return json_boolean(text[0] == 't');
		if (is_integer(text))
			return json_integer(strtoll(text, NULL, 10));
	}
	return json_stringn(text, event->data.scalar.length);
}

static int take_key(struct building *b, struct level *level, const yaml_event_t *event)
{
	if (event->type != YAML_SCALAR_EVENT)
		return refuse_event(b, event, "a key is not a text: write `key: value`");
	const char *key = (const char *)event->data.scalar.value;
	if (av_text_check(key, event->data.scalar.length) != AV_TEXT_FINE)
		return refuse_event(b, event, "a key has a character that may not stand in a text");
	if (json_object_get(level->json, key)) {
		b->yaml->refused = true;
		refuse(b->yaml, b->faults, event->start_mark, AV_OK, CODE(DUPLICATE),
			"the key is given twice: give it once");
	}
	level->key = av_arena_strdup(b->yaml->arena, key);
	level->key_mark = event->start_mark;
	return level->key ? AV_OK : AV_MEMORY;
}

static bool tag_allowed(const yaml_event_t *event)
{
	const yaml_char_t *tag = event->type == YAML_SCALAR_EVENT	    ? event->data.scalar.tag
				 : event->type == YAML_SEQUENCE_START_EVENT ? event->data.sequence_start.tag
									    : event->data.mapping_start.tag;
	return !tag || strcmp((const char *)tag, "!") == 0 ||
	       (event->type == YAML_SCALAR_EVENT && strcmp((const char *)tag, YAML_STR_TAG) == 0);
}

/* Puts `json` (stolen) where it belongs and makes its node. */
static int attach(struct building *b, const yaml_event_t *event, json_t *json, struct node **ret_node)
{
	struct level *level = b->depth ? &b->levels[b->depth - 1] : NULL;
	struct node *node = av_arena_zalloc(b->yaml->arena, sizeof *node);
	if (!json || !node) {
		json_decref(json);
		return AV_MEMORY;
	}
	yaml_mark_t mark = level && level->key ? level->key_mark : event->start_mark;
	node->line = (uint32_t)mark.line + 1;
	node->column = (uint32_t)mark.column + 1;
	*ret_node = node;
	if (!level) {
		b->yaml->root = node;
		b->yaml->json = json;
		return AV_OK;
	}
	node->key = level->key;
	*level->tail = node;
	level->tail = &node->next;
	int put = level->key ? json_object_set_new(level->json, level->key, json)
			     : json_array_append_new(level->json, json);
	level->key = NULL;
	return put < 0 ? AV_MEMORY : AV_OK;
}

static int take_node(struct building *b, const yaml_event_t *event)
{
	struct level *level = b->depth ? &b->levels[b->depth - 1] : NULL;
	struct node *node;
	if (++b->yaml->nodes > NODES_MAX)
		return refuse(b->yaml, b->faults, event->start_mark, AV_TOO_LARGE, CODE(TOO_LONG),
			"the file has more than 1 000 000 values: divide it");
	if (!tag_allowed(event))
		return refuse_event(b, event, "tags are not used here: write the value without it");
	if (level && json_is_object(level->json) && !level->key)
		return take_key(b, level, event);
	if (event->type == YAML_SCALAR_EVENT)
		return attach(b, event, scalar_json(event), &node);
	if (b->depth == DEPTH_MAX)
		return refuse(b->yaml, b->faults, event->start_mark, AV_TOO_LARGE, CODE(TOO_LONG),
			"is nested more than 64 deep");
	json_t *json = event->type == YAML_MAPPING_START_EVENT ? json_object() : json_array();
	int status = attach(b, event, json, &node);
	if (status < 0)
		return status;
	b->levels[b->depth++] = (struct level){.node = node, .tail = &node->first, .json = json};
	return AV_OK;
}

static int take_event(struct building *b, const yaml_event_t *event)
{
	switch (event->type) {
	case YAML_ALIAS_EVENT:
		return refuse_event(b, event, "aliases are not used here: write the value out");
	case YAML_SCALAR_EVENT:
	case YAML_SEQUENCE_START_EVENT:
	case YAML_MAPPING_START_EVENT:
		return take_node(b, event);
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		b->depth--;
		return AV_OK;
	case YAML_DOCUMENT_END_EVENT:
		return AV_NOTHING;
	default:
		return AV_OK;
	}
}

int av_yaml_next(struct av_yaml *yaml, struct av_faults *faults)
{
	struct building b = {.yaml = yaml, .faults = faults};
	int status = AV_OK;
	bool stream_ended = false;
	json_decref(yaml->json);
	yaml->json = NULL;
	yaml->root = NULL;
	yaml->refused = false;
	while (status == AV_OK && !stream_ended) {
		yaml_event_t event;
		status = next_event(yaml, faults, &event);
		if (status < 0)
			break;
		stream_ended = event.type == YAML_STREAM_END_EVENT;
		status = stream_ended ? AV_NOTHING : take_event(&b, &event);
		yaml_event_delete(&event);
	}
	if (status < 0) {
		json_decref(yaml->json);
		yaml->json = NULL;
		yaml->root = NULL;
		return status;
	}
	return stream_ended ? AV_NOTHING : AV_OK;
}

int av_yaml_open(struct av_bytes text, const char *name, struct av_faults *faults, struct av_yaml **ret_yaml)
{
	AV_CLEANUP(av_yaml_close)
	struct av_yaml *yaml = calloc(1, sizeof *yaml);
	if (!yaml || !yaml_parser_initialize(&yaml->parser)) {
		free(AV_TAKE(yaml));
		return AV_MEMORY;
	}
	yaml->arena = av_arena_create(0);
	if (!yaml->arena)
		return AV_MEMORY;
	yaml->name = av_arena_strdup(yaml->arena, name);
	yaml->text = av_arena_copy(yaml->arena, text.size ? text.data : "", AV_MAX(text.size, 1));
	if (!yaml->name || !yaml->text)
		return AV_MEMORY;
	if (text.size > BYTES_MAX) {
		av_fault(faults, CODE(TOO_LONG), name, "the file is larger than 8 MiB: divide it");
		return AV_TOO_LARGE;
	}
	/* A byte order mark is only skipped where libyaml guesses the encoding, and it shall not. */
	size_t mark = text.size >= 3 && memcmp(yaml->text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
	yaml_parser_set_encoding(&yaml->parser, YAML_UTF8_ENCODING);
	yaml->input = av_bytes(yaml->text + mark, text.size - mark);
	yaml_parser_set_input_string(&yaml->parser, yaml->input.data, yaml->input.size);
	int status = av_yaml_next(yaml, faults);
	if (status == AV_NOTHING) {
		av_fault(faults, CODE(REQUIRED), name,
			"the file is empty: look in the examples for what it holds");
		return AV_MALFORMED;
	}
	if (status < 0)
		return status;
	*ret_yaml = AV_TAKE(yaml);
	return AV_OK;
}

static void close_file(FILE **file)
{
	if (*file)
		fclose(*file);
}

int av_yaml_open_file(const char *path, struct av_faults *faults, struct av_yaml **ret_yaml)
{
	AV_CLEANUP(close_file)
	FILE *file = fopen(path, "rbe");
	AV_CLEANUP(av_freep)
	char *text = NULL;
	size_t size = 0, room = 64 * 1024;
	if (!file)
		return errno == ENOENT ? AV_NOT_FOUND : errno == ENOMEM ? AV_MEMORY : AV_IO;
	for (;;) {
		char *larger = realloc(text, room);
		if (!larger)
			return AV_MEMORY;
		text = larger;
		size += fread(text + size, 1, room - size, file);
		if (ferror(file))
			return AV_IO;
		if (size < room || size > BYTES_MAX)
			break;
		room *= 2;
	}
	return av_yaml_open(av_bytes(text, size), path, faults, ret_yaml);
}

void av_yaml_close(struct av_yaml **yaml)
{
	if (!*yaml)
		return;
	yaml_parser_delete(&(*yaml)->parser);
	json_decref((*yaml)->json);
	av_arena_destroy(&(*yaml)->arena);
	free(*yaml);
	*yaml = NULL;
}

const json_t *av_yaml_json(const struct av_yaml *yaml)
{
	return yaml->json;
}

/* The member that a path's part names: as it stands in the file, or with the `_ms` that the field's name has.
 */
static const struct node *member(const struct node *parent, const char *part, size_t size)
{
	for (const struct node *n = parent->first; n; n = n->next) {
		size_t i = 0;
		if (!n->key)
			return NULL;
		while (i < size && i < AV_PATH_NAME_MAX && n->key[i] && av_path_letter(n->key[i]) == part[i])
			i++;
		bool all = i == AV_PATH_NAME_MAX || n->key[i] == '\0';
		if (all && (i == size || (i + 3 == size && memcmp(part + i, "_ms", 3) == 0)))
			return n;
	}
	return NULL;
}

static const struct node *item(const struct node *parent, size_t index)
{
	const struct node *n = parent->first;
	while (n && index-- > 0)
		n = n->next;
	return n;
}

/* The node of a path, or the nearest above it that there is. */
static const struct node *node_of(const struct av_yaml *yaml, const char *path)
{
	const struct node *node = yaml->root;
	while (node && *path) {
		const struct node *next;
		if (*path == '[') {
			char *end;
			next = item(node, strtoul(path + 1, &end, 10));
			path = *end ? end + 1 : end;
		} else {
			size_t size = strcspn(path, ".[");
			next = member(node, path, size);
			path += size;
		}
		if (!next)
			return node;
		node = next;
		if (*path == '.')
			path++;
	}
	return node;
}

const char *av_yaml_mark(const struct av_yaml *yaml, const char *path, struct av_arena *arena)
{
	const struct node *node = node_of(yaml, path);
	const char *mark = av_arena_printf(
		arena, "%s:%u:%u", yaml->name, node ? node->line : 1, node ? node->column : 1);
	return mark ? mark : "";
}

void av_yaml_mark_faults(const struct av_yaml *yaml, struct av_fault *from, struct av_arena *arena)
{
	for (struct av_fault *fault = from; fault; fault = fault->next) {
		const char *mark = av_yaml_mark(yaml, fault->path, arena);
		const char *path =
			av_arena_printf(arena, "%s%s%s", mark, *fault->path ? " " : "", fault->path);
		if (path)
			fault->path = path;
	}
}

/* Puts where the part stands before the paths inside it, then the marks. */
static void place_faults(
	const struct av_yaml *yaml, const char *path, struct av_fault *from, struct av_arena *arena)
{
	for (struct av_fault *fault = from; *path && fault; fault = fault->next) {
		const char *dot = *fault->path && *fault->path != '[' ? "." : "";
		const char *whole = av_arena_printf(arena, "%s%s%s", path, dot, fault->path);
		if (whole)
			fault->path = whole;
	}
	av_yaml_mark_faults(yaml, from, arena);
}

int av_yaml_part(const struct av_yaml *yaml, const json_t *value, const char *path,
	const ProtobufCMessageDescriptor *type, struct av_arena *arena, struct av_faults *faults,
	ProtobufCMessage **ret_message)
{
	const char *prefix = faults->prefix;
	ProtobufCMessage *message = NULL;
	if (!value)
		return AV_INVALID;
	if (!faults->tail)
		faults->tail = &faults->first;
	struct av_fault **new = faults->tail;
	/* The mark says where, and paths must be those of the file for it to be found. */
	faults->prefix = NULL;
	int status = av_json_take(type, value, AV_FROM_YAML, arena, faults, &message);
	faults->prefix = prefix;
	place_faults(yaml, path, *new, arena);
	if (status == AV_OK && yaml->refused)
		status = AV_INVALID;
	if (status == AV_OK)
		*ret_message = message;
	return status;
}

int av_yaml_to(const struct av_yaml *yaml, const ProtobufCMessageDescriptor *type, struct av_arena *arena,
	struct av_faults *faults, ProtobufCMessage **ret_message)
{
	return av_yaml_part(yaml, yaml->json, "", type, arena, faults, ret_message);
}
