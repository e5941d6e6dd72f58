/* takeover.c - avvik takeover: open cases of another system, checked as a whole file, then taken over one by one.
 *
 * What a case is known by is its number in the other system, so that the same file may be applied again after
 * whatever happened: what was taken over is told once more, and the rest is done.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "ask.h"
#include "base/date.h"
#include "base/status.h"
#include "names.h"
#include "publish.h"
#include "subcommands.h"

#define CASE_PREFIX "case."

struct taking {
	struct tool *tool;
	struct published_file file;
	const Avvik__V1__TakeoverFile *from;
	Avvik__V1__Reply **answers; /* to the check, one for each case */
	FILE *out;
	struct json_list list;
	size_t cases, before, running, overdue, passed_over;
};

/* --- the file --- */

static int compare_ids(const void *a, const void *b)
{
	const Avvik__V1__TakeoverCase *const *x = a, *const *y = b;
	return strcmp((*x)->external_id, (*y)->external_id);
}

static void check_twice(struct taking *taking)
{
	size_t count = taking->from->n_cases;
	Avvik__V1__TakeoverCase **sorted =
		av_arena_copy(taking->tool->arena, taking->from->cases, count * sizeof(*sorted) + 1);

	if (!sorted)
		return;
	qsort(sorted, count, sizeof(*sorted), compare_ids);
	for (size_t i = 1; i < count; i++) {
		if (strcmp(sorted[i - 1]->external_id, sorted[i]->external_id) != 0)
			continue;
		for (size_t k = 0; k < count; k++)
			if (taking->from->cases[k] == sorted[i])
				av_fault(&taking->file.faults, AVVIK__V1__FAULT_CODE__FAULT_CODE_DUPLICATE,
					av_arena_printf(taking->tool->arena, "cases[%zu].external_id", k),
					"another case of the file has this number: give each case once");
	}
}

/* The daemon's paths are those of the order, and a time's name there says its unit. */
static const char *path_in_file(struct taking *taking, const char *path, size_t index)
{
	return strncmp(path, CASE_PREFIX, strlen(CASE_PREFIX)) == 0
		       ? av_arena_printf(taking->tool->arena, "cases[%zu].%s", index,
				 ask_field(taking->tool, path + strlen(CASE_PREFIX)))
		       : av_arena_printf(taking->tool->arena, "cases[%zu]", index);
}

/* --- what is told --- */

static size_t rungs_passed_over(const Avvik__V1__Deadline *deadline)
{
	size_t count = 0;
	for (size_t i = 0; i < deadline->n_rungs; i++)
		count += deadline->rungs[i]->passed_over;
	return count;
}

static const char *next_text(struct tool *tool, const Avvik__V1__Deadline *deadline)
{
	const Avvik__V1__RungPlanned *next = NULL;

	for (size_t i = 0; i < deadline->n_rungs; i++)
		if (!deadline->rungs[i]->fired_at_ms && !deadline->rungs[i]->passed_over &&
			(!next || deadline->rungs[i]->at_ms < next->at_ms))
			next = deadline->rungs[i];
	return next ? av_arena_printf(tool->arena, "next %s %s", names_rung(next->kind, false),
			      tool_time(tool, next->at_ms))
		    : "nothing more is said of it";
}

/* "; 2 reminders of the past passed over" */
static const char *passed_text(struct tool *tool, size_t passed)
{
	return passed ? av_arena_printf(tool->arena, "; %zu reminder%s of the past passed over", passed,
				passed == 1 ? "" : "s")
		      : "";
}

static const char *state_text(struct taking *taking, const Avvik__V1__Deadline *deadline)
{
	struct tool *tool = taking->tool;
	size_t passed = rungs_passed_over(deadline);

	switch (deadline->state) {
	case AVVIK__V1__DEADLINE_STATE__DEADLINE_STATE_RUNNING:
		taking->running++;
		taking->overdue += deadline->overdue != 0;
		taking->passed_over += passed;
		return av_arena_printf(tool->arena, "%s%s; %s", deadline->overdue ? "OVERDUE" : "runs",
			passed_text(tool, passed), next_text(tool, deadline));
	case AVVIK__V1__DEADLINE_STATE__DEADLINE_STATE_MET:
		return av_arena_printf(tool->arena, "met %s", tool_time(tool, deadline->ended_at_ms));
	case AVVIK__V1__DEADLINE_STATE__DEADLINE_STATE_MET_LATE:
		return av_arena_printf(tool->arena, "met LATE %s", tool_time(tool, deadline->ended_at_ms));
	default:
		return ask_words(tool, &avvik__v1__deadline_state__descriptor, (int)deadline->state);
	}
}

static void result_print(struct taking *taking, const Avvik__V1__TakeoverResult *result)
{
	struct tool *tool = taking->tool;

	taking->cases++;
	taking->before += result->before != 0;
	if (tool->json)
		json_list_item(&taking->list, tool, &result->base);
	if (tool->json && taking->out == stdout)
		return;
	fprintf(taking->out, "%s  %s  %s, %s  rule pack %s%s%s%s\n", result->external_id,
		*result->number ? result->number : "(new)",
		ask_words(tool, &avvik__v1__case_kind__descriptor, (int)result->kind),
		ask_words(tool, &avvik__v1__case_state__descriptor, (int)result->state),
		result->rules_version, result->before ? "  (taken over before, " : "",
		result->before ? tool_time(tool, result->taken_over_at_ms) : "",
		result->before ? result->erased ? "; its content is erased and cannot be compared)" : ")"
			       : "");
	for (size_t i = 0; i < result->n_deadlines; i++)
		fprintf(taking->out, "    %-5s due %s: %s\n", result->deadlines[i]->rule,
			tool_day(tool, result->deadlines[i]->due_on),
			state_text(taking, result->deadlines[i]));
}

static void sum_print(struct taking *taking, const char *what)
{
	const char *before =
		taking->before ? av_arena_printf(taking->tool->arena, ", %zu of them before", taking->before)
			       : "";

	if (taking->tool->json && taking->out == stdout)
		return;
	fprintf(taking->out, "%zu case%s from %s %s%s; %zu deadlines run, %zu of them overdue%s\n",
		taking->cases, taking->cases == 1 ? "" : "s", taking->from->system, what, before,
		taking->running, taking->overdue, passed_text(taking->tool, taking->passed_over));
}

static void taking_end(struct taking *taking)
{
	for (size_t i = 0; taking->answers && i < taking->from->n_cases; i++)
		tool_reply_free(&taking->answers[i]);
	published_close(&taking->file);
}

/* --- check --- */

/* EXIT_DONE: answered, with a result or with faults in the file. */
static int check_case(struct taking *taking, size_t index)
{
	Avvik__V1__Command command = AVVIK__V1__COMMAND__INIT;
	Avvik__V1__CheckTakeover check = AVVIK__V1__CHECK_TAKEOVER__INIT;
	Avvik__V1__Reply *reply;
	int code = EXIT_DONE;

	check.system = taking->from->system;
	check.case_ = taking->from->cases[index];
	command.body_case = AVVIK__V1__COMMAND__BODY_CHECK_TAKEOVER;
	command.check_takeover = &check;
	reply = tool_call(taking->tool, DAEMON_WORKFLOW, &command);
	if (!reply)
		return EXIT_AWAY;
	bool judged = reply->status == AVVIK__V1__REPLY_STATUS__REPLY_STATUS_INVALID ||
		      reply->status == AVVIK__V1__REPLY_STATUS__REPLY_STATUS_CONFLICT;
	for (size_t i = 0; judged && i < reply->n_faults; i++)
		av_fault(&taking->file.faults, (int)reply->faults[i]->code,
			path_in_file(taking, reply->faults[i]->path, index), "%s", reply->faults[i]->text);
	if (!judged)
		code = tool_refused(taking->tool, reply);
	taking->answers[index] = reply;
	return code;
}

/* Every fault of the whole file, each with its line. */
static int check_file(struct taking *taking, const char *path)
{
	struct published_file *file = &taking->file;
	int code = EXIT_DONE;

	if (published_open(taking->tool, path, &avvik__v1__takeover_file__descriptor, file) < 0)
		return EXIT_REFUSED;
	if (!file->message || file->faults.count)
		return published_judge(taking->tool, file, NULL, NULL);
	taking->from = (const Avvik__V1__TakeoverFile *)file->message;
	taking->answers =
		av_arena_zalloc(taking->tool->arena, taking->from->n_cases * sizeof(*taking->answers) + 1);
	if (!taking->answers)
		return tool_fail(EXIT_REFUSED, "out of memory");
	check_twice(taking);
	for (size_t i = 0; code == EXIT_DONE && i < taking->from->n_cases; i++)
		code = check_case(taking, i);
	if (code != EXIT_DONE)
		return code;
	if (!file->faults.count)
		return EXIT_DONE;
	return published_judge(taking->tool, file, &file->faults.first, NULL);
}

static int takeover_check(struct tool *tool, int argc, char **argv)
{
	struct taking taking = {.tool = tool, .out = stdout};
	const char *path = NULL;
	int code;

	if (tool_options(tool, argc, argv, NULL, 0, &path, 1) < 0)
		return EXIT_USAGE;
	if (!path)
		return tool_usage("takeover");
	code = check_file(&taking, path);
	for (size_t i = 0; code == EXIT_DONE && i < taking.from->n_cases; i++)
		if (taking.answers[i]->body_case == AVVIK__V1__REPLY__BODY_TAKEOVER_RESULT)
			result_print(&taking, taking.answers[i]->takeover_result);
	if (code == EXIT_DONE) {
		sum_print(&taking, "can be taken over; nothing is written");
		if (tool->json)
			json_list_end(&taking.list);
	}
	taking_end(&taking);
	return code;
}

/* --- apply --- */

static int apply_case(struct taking *taking, size_t index, const char *reason)
{
	struct tool *tool = taking->tool;
	Avvik__V1__Command command = AVVIK__V1__COMMAND__INIT;
	Avvik__V1__TakeOverCase order = AVVIK__V1__TAKE_OVER_CASE__INIT;
	Avvik__V1__Reply *reply;
	int code;

	order.system = taking->from->system;
	order.reason = (char *)(uintptr_t)reason;
	order.case_ = taking->from->cases[index];
	command.body_case = AVVIK__V1__COMMAND__BODY_TAKE_OVER_CASE;
	command.take_over_case = &order;
	/* Under a new reference each time: the case is known by its number there, and is told as it is by now. */
	reply = tool_call(tool, DAEMON_WORKFLOW, &command);
	code = reply ? tool_refused(tool, reply) : EXIT_AWAY;
	if (code == EXIT_DONE && reply->body_case == AVVIK__V1__REPLY__BODY_TAKEOVER_RESULT)
		result_print(taking, reply->takeover_result);
	tool_reply_free(&reply);
	return code;
}

static int apply_cases(struct taking *taking, const char *reason)
{
	int code = EXIT_DONE;

	for (size_t i = 0; code == EXIT_DONE && i < taking->from->n_cases; i++) {
		code = apply_case(taking, i, reason);
		if (taking->out != stdout && fflush(taking->out) != 0)
			code = tool_fail(EXIT_REFUSED, "cannot write the report: %s", strerror(errno));
	}
	if (code != EXIT_DONE)
		return tool_fail(code,
			"%zu of %zu cases are taken over: run the same again, nothing is done twice",
			taking->cases, taking->from->n_cases);
	sum_print(taking, "are taken over");
	return code;
}

static int takeover_apply(struct tool *tool, int argc, char **argv)
{
	struct taking taking = {.tool = tool, .out = stdout};
	const char *path = NULL, *reason = "", *report = NULL;
	const struct tool_option words[] = {
		{"reason", OPTION_TEXT, &reason}, {"report", OPTION_TEXT, &report}};
	int code;

	if (tool_options(tool, argc, argv, words, AV_COUNT(words), &path, 1) < 0)
		return EXIT_USAGE;
	if (!path)
		return tool_usage("takeover");
	if (!*reason)
		return tool_fail(EXIT_USAGE, "--reason: say why, it is kept in the journal");
	code = check_file(&taking, path);
	if (code == EXIT_DONE && report) {
		mode_t before = umask(077);
		taking.out = fopen(report, "w");
		umask(before);
		if (!taking.out)
			code = tool_fail(EXIT_REFUSED, "cannot write %s: %s", report, strerror(errno));
	}
	if (code == EXIT_DONE) {
		code = apply_cases(&taking, reason);
		if (tool->json)
			json_list_end(&taking.list);
	}
	if (taking.out && taking.out != stdout && fclose(taking.out) != 0)
		code = tool_fail(EXIT_REFUSED, "cannot write %s: %s", report, strerror(errno));
	else if (report && code == EXIT_DONE && !tool->json)
		printf("%zu cases are taken over; the report is in %s\n", taking.cases, report);
	taking_end(&taking);
	return code;
}

int command_takeover(struct tool *tool, int argc, char **argv)
{
	if (argc >= 2 && strcmp(argv[1], "check") == 0)
		return takeover_check(tool, argc - 1, argv + 1);
	if (argc >= 2 && strcmp(argv[1], "apply") == 0)
		return takeover_apply(tool, argc - 1, argv + 1);
	return tool_usage("takeover");
}
