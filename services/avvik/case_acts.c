/* case_acts.c - an act on a case: its words become its message, and the message an order.
 *
 * The message is filled in from its descriptor, so that a word needs no code of its own: text, enum, number,
 * day and list are read as the field wants them. What is missing or wrong is said by workflow, and shown here
 * by the word.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ask.h"
#include "base/date.h"
#include "base/status.h"
#include "case_tool.h"

#define ITEMS_MAX 40

/* --- filling in --- */

static size_t value_size(ProtobufCType type)
{
	return type == PROTOBUF_C_TYPE_STRING  ? sizeof(char *)
	       : type == PROTOBUF_C_TYPE_INT64 ? sizeof(int64_t)
					       : sizeof(int32_t); /* enums and 32-bit numbers */
}

static int number_set(const char *option, const char *text, void *target)
{
	char *end;

	errno = 0;
	unsigned long number = strtoul(text, &end, 10);
	if (errno || end == text || *end || *text == '-' || number > UINT32_MAX) {
		tool_fail(0, "--%s: \"%s\" is no number", option, text);
		return AV_INVALID;
	}
	*(uint32_t *)target = (uint32_t)number;
	return AV_OK;
}

/* A case by its number or id; a content by its id. */
static int id_set(struct tool *tool, const ProtobufCFieldDescriptor *field, const char *option,
	const char *text, ProtobufCBinaryData *target)
{
	struct av_id *id = av_arena_zalloc(tool->arena, sizeof *id);

	if (!id)
		return AV_MEMORY;
	if (strstr(field->name, "case_id") && tool_case_id(tool, text, id) != AV_OK)
		return AV_INVALID;
	if (!strstr(field->name, "case_id") && av_id_parse(text, id) != AV_OK) {
		tool_fail(0, "--%s: \"%s\" is no id: `avvik content read` shows the id of each content",
			option, text);
		return AV_INVALID;
	}
	*target = ask_id_field(id);
	return AV_OK;
}

static int value_set(struct tool *tool, const ProtobufCFieldDescriptor *field, const char *option,
	const char *text, void *target)
{
	av_day day;

	switch (field->type) {
	case PROTOBUF_C_TYPE_STRING:
		*(const char **)target = ask_text(tool, option, text);
		return *(const char **)target ? AV_OK : AV_INVALID;
	case PROTOBUF_C_TYPE_ENUM:
		return ask_enum(
			tool, av_arena_printf(tool->arena, "--%s", option), field->descriptor, text, target);
	case PROTOBUF_C_TYPE_BOOL:
		*(protobuf_c_boolean *)target = strcmp(text, "true") == 0;
		return AV_OK;
	case PROTOBUF_C_TYPE_UINT32:
		return number_set(option, text, target);
	case PROTOBUF_C_TYPE_INT64:
		return tool_parse_time(tool, option, text, target);
	case PROTOBUF_C_TYPE_INT32:
		if (av_day_parse(text, &day) == AV_OK) {
			*(int32_t *)target = day;
			return AV_OK;
		}
		tool_fail(0, "--%s: \"%s\" is no day: write 2026-04-01", option, text);
		return AV_INVALID;
	case PROTOBUF_C_TYPE_BYTES:
		return id_set(tool, field, option, text, target);
	default:
		return AV_INTERNAL;
	}
}

static int list_set(struct tool *tool, ProtobufCMessage *message, const ProtobufCFieldDescriptor *field,
	const char *option, const char *text)
{
	size_t size = value_size(field->type),
	       *count = (size_t *)(void *)((char *)message + field->quantifier_offset);
	char *items = av_arena_zalloc(tool->arena, ITEMS_MAX * size),
	     *rest = av_arena_strdup(tool->arena, text), *item;

	while (items && rest && (item = strsep(&rest, ",")) != NULL) {
		if (*count == ITEMS_MAX) {
			tool_fail(0, "--%s: more than %d items", option, ITEMS_MAX);
			return AV_INVALID;
		}
		int status = value_set(tool, field, option, item, items + *count * size);
		if (status < 0)
			return status;
		(*count)++;
	}
	*(void **)(void *)((char *)message + field->offset) = items;
	return items ? AV_OK : AV_MEMORY;
}

/* `path` is a field, or one inside a message that is made when first needed. */
static int field_set(
	struct tool *tool, ProtobufCMessage *message, const char *path, const char *option, const char *text)
{
	const char *dot = strchr(path, '.');
	char name[60];

	snprintf(name, sizeof name, "%.*s", dot ? (int)(dot - path) : (int)strlen(path), path);
	const ProtobufCFieldDescriptor *field =
		protobuf_c_message_descriptor_get_field_by_name(message->descriptor, name);
	if (!field)
		return AV_INTERNAL;
	void *target = (char *)message + field->offset;
	if (field->label == PROTOBUF_C_LABEL_REPEATED)
		return list_set(tool, message, field, option, text);
	if (!dot)
		return value_set(tool, field, option, text, target);
	ProtobufCMessage **inner = target;
	const ProtobufCMessageDescriptor *type = field->descriptor;
	if (!*inner) {
		*inner = av_arena_zalloc(tool->arena, type->sizeof_message);
		if (!*inner)
			return AV_MEMORY;
		protobuf_c_message_init(type, *inner);
	}
	return field_set(tool, *inner, dot + 1, option, text);
}

/* A measure by its number in `case show` (from 1), or its id. */
static int measure_set(
	struct tool *tool, const Avvik__V1__Case *found, const char *text, ProtobufCMessage *message)
{
	const ProtobufCFieldDescriptor *field =
		protobuf_c_message_descriptor_get_field_by_name(message->descriptor, "measure_id");
	ProtobufCBinaryData *target = (ProtobufCBinaryData *)(void *)((char *)message + field->offset);
	struct av_id *id = av_arena_zalloc(tool->arena, sizeof *id);
	char *end;

	unsigned long number = strtoul(text, &end, 10);
	if (id && end != text && !*end && number >= 1 && number <= found->n_measures) {
		*target = found->measures[number - 1]->measure_id;
		return AV_OK;
	}
	if (id && av_id_parse(text, id) == AV_OK) {
		*target = ask_id_field(id);
		return AV_OK;
	}
	tool_fail(0,
		found->n_measures
			? "\"%s\" is no measure of the case: give 1 to %zu, as `avvik case show` numbers them"
			: "\"%s\": the case has no measures (%zu)",
		text, found->n_measures);
	return AV_NOT_FOUND;
}

/* A deadline by its rule ("D3") while the case has one such open, or its id. */
static int deadline_set(
	struct tool *tool, const Avvik__V1__Case *found, const char *text, ProtobufCMessage *message)
{
	const ProtobufCFieldDescriptor *field =
		protobuf_c_message_descriptor_get_field_by_name(message->descriptor, "deadline_id");
	ProtobufCBinaryData *target = (ProtobufCBinaryData *)(void *)((char *)message + field->offset);
	Avvik__V1__ListDeadlines query = AVVIK__V1__LIST_DEADLINES__INIT;
	struct av_id *id = av_arena_zalloc(tool->arena, sizeof *id);
	Avvik__V1__Reply *reply = NULL;
	size_t count = 0;
	int code;

	if (id && av_id_parse(text, id) == AV_OK) {
		*target = ask_id_field(id);
		return AV_OK;
	}
	query.case_id = found->case_id;
	query.running_only = true;
	if (!ask(tool, DAEMON_WORKFLOW, AVVIK__V1__COMMAND__BODY_LIST_DEADLINES, &query.base, &reply, &code))
		return AV_IO;
	const Avvik__V1__DeadlinesFound *open =
		reply->body_case == AVVIK__V1__REPLY__BODY_DEADLINES_FOUND ? reply->deadlines_found : NULL;
	for (size_t i = 0; id && open && i < open->n_deadlines; i++) {
		if (strcmp(open->deadlines[i]->rule, text) != 0 ||
			open->deadlines[i]->deadline_id.len != sizeof id->bytes)
			continue;
		memcpy(id->bytes, open->deadlines[i]->deadline_id.data, sizeof id->bytes);
		count++;
	}
	tool_reply_free(&reply);
	if (count == 1) {
		*target = ask_id_field(id);
		return AV_OK;
	}
	tool_fail(0,
		count ? "the case has several open deadlines %s: give the id of one, as "
			"`avvik --json deadlines --case %s` lists them"
		      : "\"%s\" is no open deadline of the case: `avvik deadlines --case %s` lists them",
		text, found->number);
	return AV_NOT_FOUND;
}

/* --- the words of one act --- */

struct given {
	const char *texts[CASE_WORDS_MAX];
	bool flags[CASE_WORDS_MAX];
	int64_t acted_at_ms, version;
	const char *rest[2]; /* the case, the measure */
};

static int words_read(
	struct tool *tool, const struct case_act *act, int argc, char **argv, struct given *given)
{
	struct tool_option options[CASE_WORDS_MAX + 2];
	size_t count = 0;
	int wanted = act->measure || act->deadline ? 2 : 1;

	for (; count < CASE_WORDS_MAX && act->words[count].option; count++)
		options[count] = act->words[count].value ? (struct tool_option){act->words[count].option,
								   OPTION_FLAG, &given->flags[count]}
							 : (struct tool_option){act->words[count].option,
								   OPTION_TEXT, &given->texts[count]};
	options[count++] = (struct tool_option){"at", OPTION_TIME, &given->acted_at_ms};
	options[count++] = (struct tool_option){"version", OPTION_NUMBER, &given->version};
	int rest = tool_options(tool, argc, argv, options, count, given->rest, wanted);
	if (rest >= 0 && rest < wanted)
		tool_fail(0,
			!rest ? "which case? Give its number%s"
			: act->measure
				? "which measure? Give its number in `avvik case show %s`"
				: "which deadline? Give its rule, such as D3, in `avvik deadlines --case %s`",
			rest ? given->rest[0] : "");
	if (rest == wanted)
		return AV_OK;
	case_acts_list(tool, act->name);
	return AV_INVALID;
}

/* Of the words of one group exactly one. */
static int groups_check(const struct case_act *act, const struct given *given)
{
	for (size_t i = 0; i < CASE_WORDS_MAX && act->words[i].option; i++) {
		char names[120] = "";
		int count = 0;
		if (!act->words[i].group || (i && act->words[i - 1].group == act->words[i].group))
			continue;
		for (size_t j = i; j < CASE_WORDS_MAX && act->words[j].option; j++) {
			if (act->words[j].group != act->words[i].group)
				continue;
			count += given->flags[j];
			size_t used = strlen(names);
			snprintf(names + used, sizeof names - used, "%s--%s", used ? " or " : "",
				act->words[j].option);
		}
		if (count != 1) {
			tool_fail(0, "say %s", names);
			return AV_INVALID;
		}
	}
	return AV_OK;
}

static ProtobufCMessage *act_fill(struct tool *tool, const struct case_act *act, const struct given *given,
	const Avvik__V1__Case *found)
{
	const ProtobufCFieldDescriptor *field = protobuf_c_message_descriptor_get_field(
		&avvik__v1__act_on_case__descriptor, (unsigned int)act->number);
	const ProtobufCMessageDescriptor *type = field->descriptor;
	ProtobufCMessage *message = av_arena_zalloc(tool->arena, type->sizeof_message);

	if (!message)
		return NULL;
	protobuf_c_message_init(type, message);
	if (act->measure && measure_set(tool, found, given->rest[1], message) < 0)
		return NULL;
	if (act->deadline && deadline_set(tool, found, given->rest[1], message) < 0)
		return NULL;
	for (size_t i = 0; i < CASE_WORDS_MAX && act->words[i].option; i++) {
		const struct case_word *word = &act->words[i];
		const char *text = word->value ? (given->flags[i] ? word->value : NULL) : given->texts[i];
		if (text && act->number == AVVIK__V1__ACT_ON_CASE__ACT_CORRECT_CONTENT &&
			strcmp(word->option, "report") == 0) {
			if (case_correct_report(tool, text, (Avvik__V1__CorrectContent *)message) < 0)
				return NULL;
		} else if (text && field_set(tool, message, word->field, word->option, text) < 0) {
			return NULL;
		}
	}
	return message;
}

/* --- the order --- */

/* "decide.motive" is said as "--motive". */
static const char *word_of(struct tool *tool, const struct case_act *act, const char *path)
{
	for (size_t i = 0; i < CASE_WORDS_MAX && act->words[i].option; i++) {
		size_t size = strlen(act->words[i].field), whole = strlen(path);
		if (whole > size && strcmp(path + whole - size, act->words[i].field) == 0 &&
			path[whole - size - 1] == '.')
			return av_arena_printf(tool->arena, "--%s", act->words[i].option);
	}
	return path;
}

static int refused(struct tool *tool, const struct case_act *act, const Avvik__V1__Reply *reply)
{
	Avvik__V1__Reply *said = (Avvik__V1__Reply *)av_message_copy(&reply->base, tool->arena);

	for (size_t i = 0; said && i < said->n_faults && !tool->json; i++)
		said->faults[i]->path = (char *)(uintptr_t)word_of(tool, act, said->faults[i]->path);
	return tool_refused(tool, said ? said : reply);
}

static void accepted_print(
	struct tool *tool, const char *number, const struct case_act *act, const Avvik__V1__Reply *reply)
{
	const Avvik__V1__ActAccepted *accepted = reply->act_accepted;

	printf("%s: %s%s; the case is now %s, version %llu\n", number, act->done,
		reply->repeated ? " (done before)" : "",
		ask_words(tool, &avvik__v1__case_state__descriptor, (int)accepted->state),
		(unsigned long long)accepted->version);
	if (accepted->measure_id.len)
		printf("  measure %s\n", tool_id_text(tool, accepted->measure_id));
	for (size_t i = 0; i < accepted->n_warnings; i++)
		printf("  remark: %s\n", accepted->warnings[i]->text);
}

static int act_order(struct tool *tool, const struct case_act *act, const struct given *given,
	const Avvik__V1__Case *found)
{
	Avvik__V1__Command command = AVVIK__V1__COMMAND__INIT;
	Avvik__V1__ActOnCase order = AVVIK__V1__ACT_ON_CASE__INIT;
	ProtobufCMessage *message = act_fill(tool, act, given, found);

	if (!message || (act->number == AVVIK__V1__ACT_ON_CASE__ACT_JOIN &&
				case_join_seen(tool, (Avvik__V1__JoinCase *)message) < 0))
		return EXIT_USAGE;
	order.case_id = found->case_id;
	order.version_seen = given->version ? (uint64_t)given->version : found->version;
	order.acted_at_ms = given->acted_at_ms;
	order.act_case = act->number;
	order.place =
		(Avvik__V1__PlaceCase *)(void *)message; /* all members of the oneof share their place */
	command.body_case = AVVIK__V1__COMMAND__BODY_ACT_ON_CASE;
	command.act_on_case = &order;
	command.reference =
		(char *)(uintptr_t)ask_reference(tool, av_arena_printf(tool->arena, "act-%s", tool->person),
			av_message_pack(&order.base, tool->arena));
	Avvik__V1__Reply *reply = tool_call(tool, DAEMON_WORKFLOW, &command);
	int code = reply ? refused(tool, act, reply) : EXIT_AWAY;
	if (code == EXIT_DONE && tool->json)
		tool_print_json(tool, &reply->base);
	else if (code == EXIT_DONE && reply->body_case == AVVIK__V1__REPLY__BODY_ACT_ACCEPTED)
		accepted_print(tool, *found->number ? found->number : given->rest[0], act, reply);
	if (code == EXIT_DONE && reply->body_case == AVVIK__V1__REPLY__BODY_ACT_ACCEPTED &&
		reply->act_accepted->grant && !reply->repeated)
		code = case_correct_erase(tool, found->number, reply->act_accepted->grant);
	tool_reply_free(&reply);
	return code;
}

int case_do(struct tool *tool, int argc, char **argv, bool *ret_known)
{
	Avvik__V1__Reply *reply = NULL;
	struct given given = {.version = 0};
	int code;

	for (size_t i = 0; i < case_act_count; i++) {
		const struct case_act *act = &case_acts[i];
		if (strcmp(act->name, argv[0]) != 0)
			continue;
		*ret_known = true;
		if (words_read(tool, act, argc, argv, &given) < 0 || groups_check(act, &given) < 0)
			return EXIT_USAGE;
		if (!tool->person)
			return tool_fail(EXIT_USAGE,
				"--as is missing: who acts? Give the person's id in the directory");
		const Avvik__V1__Case *found = case_fetch(tool, given.rest[0], &reply, &code);
		if (found)
			code = act_order(tool, act, &given, found);
		tool_reply_free(&reply);
		return code;
	}
	return EXIT_USAGE;
}
