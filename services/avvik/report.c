/* report.c - avvik report: file and supplement reports, ask how they went, keep and prove receipts. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/status.h"
#include "report_tool.h"
#include "subcommands.h"
#include "wire/yaml.h"

static int report_status(struct tool *tool, int argc, char **argv)
{
	const char *text = NULL;
	Avvik__V1__GetReportStatus query = AVVIK__V1__GET_REPORT_STATUS__INIT;
	Avvik__V1__Reply *reply = NULL;
	struct av_id id;
	int code;

	if (tool_options(tool, argc, argv, NULL, 0, &text, 1) < 0)
		return EXIT_USAGE;
	if (!text)
		return tool_usage("report");
	if (ask_id(text, &id) != AV_OK)
		return EXIT_USAGE;
	query.report_id = ask_id_field(&id);
	if (!ask(tool, DAEMON_WORKFLOW, AVVIK__V1__COMMAND__BODY_GET_REPORT_STATUS, &query.base, &reply,
		    &code))
		return code;
	const Avvik__V1__ReportStatusFound *found =
		reply->body_case == AVVIK__V1__REPLY__BODY_REPORT_STATUS_FOUND ? reply->report_status_found
									       : NULL;
	if (found && tool->json)
		tool_print_json(tool, &found->base);
	else if (found)
		printf("case %s, %s: %s since %s\n", found->number,
			ask_words(tool, &avvik__v1__case_kind__descriptor, (int)found->kind),
			ask_words(tool, &avvik__v1__case_state__descriptor, (int)found->state),
			tool_time(tool, found->changed_at_ms));
	tool_reply_free(&reply);
	return EXIT_DONE;
}

/* --- supplement --- */

/* The fields of SupplementReport but for the report, which the command names. */
static Avvik__V1__SupplementReport *supplement_read(
	struct tool *tool, const char *path, const char *report_id)
{
	struct av_yaml *yaml = NULL;
	struct av_faults faults;
	ProtobufCMessage *message = NULL;
	json_t *value = report_document(tool, path, &yaml);

	if (!value)
		return NULL;
	av_faults_init(&faults, tool->arena);
	json_t *whole = json_copy(value);
	if (json_is_object(whole))
		json_object_set_new(whole, "report_id", json_string(report_id));
	if (yaml)
		av_yaml_part(yaml, whole, "", &avvik__v1__supplement_report__descriptor, tool->arena, &faults,
			&message);
	else
		av_json_to(&avvik__v1__supplement_report__descriptor, whole, tool->arena, &faults, &message);
	if (!message) {
		tool_fail(0, "%s is no supplement: nothing was sent", path);
		ask_tell(&faults);
	}
	json_decref(whole);
	json_decref(value);
	av_yaml_close(&yaml);
	return (Avvik__V1__SupplementReport *)message;
}

static int report_supplement(struct tool *tool, int argc, char **argv)
{
	const char *rest[2] = {NULL, NULL}, *receipts = NULL;
	const struct tool_option words[] = {{"receipts", OPTION_TEXT, &receipts}};
	Avvik__V1__Reply *reply = NULL;
	struct av_id id;
	int code;

	int count = tool_options(tool, argc, argv, words, AV_COUNT(words), rest, 2);
	if (count < 0)
		return EXIT_USAGE;
	if (count != 2)
		return tool_usage("report");
	if (ask_id(rest[0], &id) != AV_OK)
		return EXIT_USAGE;
	Avvik__V1__SupplementReport *order = supplement_read(tool, rest[1], rest[0]);
	if (!order)
		return EXIT_REFUSED;
	struct av_bytes packed = av_message_pack(&order->base, tool->arena);
	const char *reference = ask_reference(tool, "supplement", packed);
	if (!ask_as(tool, DAEMON_INTAKE, reference, AVVIK__V1__COMMAND__BODY_SUPPLEMENT_REPORT, &order->base,
		    &reply, &code))
		return code;
	const Avvik__V1__ReportAccepted *accepted =
		reply->body_case == AVVIK__V1__REPLY__BODY_REPORT_ACCEPTED ? reply->report_accepted : NULL;
	if (accepted && receipts && accepted->receipt) {
		const char *path =
			av_arena_printf(tool->arena, "%s/%s-%s.json", receipts, rest[0], reference);
		if ((mkdir(receipts, 0700) != 0 && errno != EEXIST) ||
			receipt_save(tool, path, reference, accepted->receipt, packed) < 0)
			code = tool_fail(EXIT_REFUSED,
				"the supplement is kept, but its receipt is not saved in %s", receipts);
	}
	if (tool->json)
		tool_print_json(tool, &reply->base);
	else
		printf("%s is supplemented%s\n", rest[0],
			reply->repeated ? " (it was before: nothing is kept twice)" : "");
	tool_reply_free(&reply);
	return code;
}

int command_report(struct tool *tool, int argc, char **argv)
{
	static const struct {
		const char *name;
		int (*run)(struct tool *tool, int argc, char **argv);
	} words[] = {{"file", report_file}, {"receipt", report_receipt}, {"status", report_status},
		{"verify", report_verify}, {"supplement", report_supplement}};

	for (size_t i = 0; argc > 1 && i < AV_COUNT(words); i++)
		if (strcmp(argv[1], words[i].name) == 0)
			return words[i].run(tool, argc - 1, argv + 1);
	return tool_usage("report");
}
