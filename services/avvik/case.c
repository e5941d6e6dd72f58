/* case.c - avvik case: act on a case, show it, list cases, make its document. */
#include <string.h>

#include "ask.h"
#include "base/status.h"
#include "case_tool.h"
#include "subcommands.h"

const Avvik__V1__Case *case_fetch(
	struct tool *tool, const char *text, Avvik__V1__Reply **ret_reply, int *ret_code)
{
	Avvik__V1__GetCase query = AVVIK__V1__GET_CASE__INIT;
	struct av_id id;

	if (av_id_parse(text, &id) == AV_OK)
		query.case_id = ask_id_field(&id);
	else
		query.number = (char *)(uintptr_t)text;
	if (!ask(tool, DAEMON_WORKFLOW, AVVIK__V1__COMMAND__BODY_GET_CASE, &query.base, ret_reply, ret_code))
		return NULL;
	if ((*ret_reply)->body_case == AVVIK__V1__REPLY__BODY_CASE_FOUND && (*ret_reply)->case_found->case_)
		return (*ret_reply)->case_found->case_;
	tool_reply_free(ret_reply);
	*ret_code = tool_fail(EXIT_REFUSED, "no case is called \"%s\"", text);
	return NULL;
}

int command_case(struct tool *tool, int argc, char **argv)
{
	bool known = false;

	if (argc < 2)
		return tool_usage("case");
	if (strcmp(argv[1], "acts") == 0 && argc <= 3)
		return case_acts_list(tool, argv[2]);
	if (strcmp(argv[1], "show") == 0)
		return case_show(tool, argc - 1, argv + 1);
	if (strcmp(argv[1], "list") == 0)
		return case_list(tool, argc - 1, argv + 1);
	if (strcmp(argv[1], "document") == 0)
		return case_document(tool, argc - 1, argv + 1);
	int code = case_do(tool, argc - 1, argv + 1, &known);
	if (!known)
		return tool_fail(
			EXIT_USAGE, "\"%s\" is no act on a case: `avvik case acts` lists them", argv[1]);
	return code;
}
