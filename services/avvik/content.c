/* content.c - avvik content: read or erase what a case holds.
 *
 * Workflow decides and gives a grant for each holder; each holder is shown its grant and opens or erases.
 */
#include <stdlib.h>
#include <string.h>

#include "ask.h"
#include "base/status.h"
#include "grant.h"
#include "subcommands.h"
#include "wire/json.h"

#define PARTS_MAX 8

/* --- read --- */

static void value_print(const char *name, const json_t *value, int depth)
{
	const char *key;
	json_t *item;
	size_t index;

	if (json_is_object(value)) {
		if (*name)
			printf("%*s%s:\n", depth * 2, "", name);
		json_object_foreach((json_t *)(uintptr_t)value, key, item)
			value_print(key, item, depth + (*name ? 1 : 0));
	} else if (json_is_array(value)) {
		json_array_foreach(value, index, item) value_print(name, item, depth);
	} else if (json_is_string(value)) {
		printf("%*s%s: %s\n", depth * 2, "", name, json_string_value(value));
	} else {
		char *text = json_dumps(value, JSON_ENCODE_ANY);
		printf("%*s%s: %s\n", depth * 2, "", name, text ? text : "");
		free(text);
	}
}

static void part_show(struct tool *tool, const Avvik__V1__OpenedItem *item, const Avvik__V1__OpenedPart *part,
	enum tool_daemon holder, struct json_list *list)
{
	const ProtobufCMessageDescriptor *type = grant_part_type(part->part);
	ProtobufCMessage *message;

	if (!type ||
		av_message_load(type, av_bytes(part->body.data, part->body.len), tool->arena, &message) < 0) {
		tool_fail(0, "a part cannot be shown: is this avvik older than the daemons?");
		return;
	}
	const char *name = av_enum_name(&avvik__v1__content_part__descriptor, (int)part->part);
	json_t *value = av_json_from(message);
	if (tool->json) {
		json_list_value(
			list, json_pack("{sssssssO}", "content_id", tool_id_text(tool, item->content_id),
				      "holder", daemon_names[holder], "part", name, "content", value));
	} else {
		printf("%s%s, %s, content %s\n", list->count++ ? "\n" : "", name, daemon_names[holder],
			tool_id_text(tool, item->content_id));
		value_print("", value, 1);
	}
	json_decref(value);
}

struct showing {
	struct tool *tool;
	struct json_list list;
};

static void opened_show(void *context, enum tool_daemon holder, const Avvik__V1__OpenedContent *opened)
{
	struct showing *showing = context;
	struct tool *tool = showing->tool;
	struct json_list *list = &showing->list;
	size_t erased = 0;

	for (size_t i = 0; i < opened->n_items; i++) {
		const Avvik__V1__OpenedItem *item = opened->items[i];
		erased += item->erased != 0;
		if (item->erased && tool->json)
			json_list_value(list,
				json_pack("{sssssb}", "content_id", tool_id_text(tool, item->content_id),
					"holder", daemon_names[holder], "erased", 1));
		for (size_t p = 0; p < item->n_parts; p++)
			part_show(tool, item, item->parts[p], holder, list);
	}
	if (erased && !tool->json)
		printf("%s%zu of %zu erased, %s\n", list->count++ ? "\n" : "", erased, opened->n_items,
			daemon_names[holder]);
}

static int parts_parse(
	struct tool *tool, const char *text, Avvik__V1__ContentPart *ret_parts, size_t *ret_count)
{
	char *rest = av_arena_strdup(tool->arena, text), *word;
	int value;

	while (rest && (word = strsep(&rest, ",")) != NULL) {
		if (ask_enum(tool, "--part", &avvik__v1__content_part__descriptor, word, &value) != AV_OK)
			return AV_INVALID;
		if (*ret_count < PARTS_MAX)
			ret_parts[(*ret_count)++] = (Avvik__V1__ContentPart)value;
	}
	return AV_OK;
}

static int content_read(struct tool *tool, int argc, char **argv)
{
	const char *number = NULL, *purpose = NULL, *part = NULL;
	const struct tool_option words[] = {{"purpose", OPTION_TEXT, &purpose}, {"part", OPTION_TEXT, &part}};
	Avvik__V1__ContentPart parts[PARTS_MAX];
	Avvik__V1__ReadContent order = AVVIK__V1__READ_CONTENT__INIT;
	struct showing showing = {.tool = tool};
	struct av_id case_id;

	if (tool_options(tool, argc, argv, words, AV_COUNT(words), &number, 1) < 0)
		return EXIT_USAGE;
	if (!number || !purpose)
		return tool_usage("content");
	if (!tool->person)
		return tool_fail(
			EXIT_USAGE, "--as is missing: who reads? Give the person's id in the directory");
	if (part && parts_parse(tool, part, parts, &order.n_parts) != AV_OK)
		return EXIT_USAGE;
	if (tool_case_id(tool, number, &case_id) != AV_OK)
		return EXIT_REFUSED;
	order.case_id = ask_id_field(&case_id);
	order.purpose = (char *)(uintptr_t)purpose;
	order.parts = parts;
	int code = grant_read(tool, &order, opened_show, &showing);
	if (tool->json && (code == EXIT_DONE || showing.list.count))
		json_list_end(&showing.list);
	return code;
}

/* --- erase --- */

static int content_erase(struct tool *tool, int argc, char **argv)
{
	const char *number = NULL, *reason = NULL, *content = NULL;
	const struct tool_option words[] = {
		{"reason", OPTION_TEXT, &reason}, {"content", OPTION_TEXT, &content}};
	ProtobufCBinaryData content_id;
	Avvik__V1__EraseContent order = AVVIK__V1__ERASE_CONTENT__INIT;
	Avvik__V1__Reply *granted = NULL;
	struct json_list list = {0};
	struct av_id case_id, one;
	int code, worst = EXIT_DONE;

	if (tool_options(tool, argc, argv, words, AV_COUNT(words), &number, 1) < 0)
		return EXIT_USAGE;
	if (!number || !reason)
		return tool_usage("content");
	if (!tool->person)
		return tool_fail(
			EXIT_USAGE, "--as is missing: who erases? Give the person's id in the directory");
	if (content && av_id_parse(content, &one) != AV_OK)
		return tool_fail(EXIT_USAGE,
			"--content: \"%s\" is no id: `avvik content read` shows the id of each content",
			content);
	if (tool_case_id(tool, number, &case_id) != AV_OK)
		return EXIT_REFUSED;
	order.case_id = ask_id_field(&case_id);
	order.reason = (char *)(uintptr_t)reason;
	if (content) {
		content_id = ask_id_field(&one);
		order.content_ids = &content_id;
		order.n_content_ids = 1;
	}
	if (!ask(tool, DAEMON_WORKFLOW, AVVIK__V1__COMMAND__BODY_ERASE_CONTENT, &order.base, &granted, &code))
		return code;
	size_t count = granted->body_case == AVVIK__V1__REPLY__BODY_GRANT_ISSUED
			       ? granted->grant_issued->n_grants
			       : 0;
	for (size_t i = 0; i < count; i++) {
		enum tool_daemon holder;
		Avvik__V1__Reply *reply = grant_use(tool, granted->grant_issued->grants[i], &holder, &code);
		worst = AV_MAX(worst, code);
		if (reply && reply->body_case == AVVIK__V1__REPLY__BODY_CONTENT_ERASURE) {
			const Avvik__V1__ContentErasure *erasure = reply->content_erasure;
			if (tool->json)
				json_list_item(&list, tool, &erasure->base);
			else
				printf("%s: erased %zu; %s\n", daemon_names[holder], erasure->n_content_ids,
					erasure->destruction_complete ? "the keys are destroyed"
								      : "the keys are being destroyed: the "
									"key store is rewritten now");
		}
		tool_reply_free(&reply);
	}
	if (tool->json)
		json_list_end(&list);
	else if (!count)
		printf("the case holds nothing that is not erased already\n");
	tool_reply_free(&granted);
	return worst;
}

int command_content(struct tool *tool, int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], "read") == 0)
		return content_read(tool, argc - 1, argv + 1);
	if (argc > 1 && strcmp(argv[1], "erase") == 0)
		return content_erase(tool, argc - 1, argv + 1);
	return tool_usage("content");
}
