/* trace.c - avvik trace: one report through all four daemons, with times.
 *
 * Each daemon is asked for its events of the case.
 */
#include <stdlib.h>
#include <string.h>

#include "ask.h"
#include "base/status.h"
#include "case_events.h"
#include "subcommands.h"
#include "table.h"
#include "wire/json.h"

struct trace {
	struct tool *tool;
	struct case_events events;
};

/* "+0.041 s", "+3 d 04:10" */
static const char *delay_text(struct tool *tool, int64_t ms)
{
	int64_t minutes = ms / 60000;

	if (ms < 60000)
		return av_arena_printf(
			tool->arena, "+%lld.%03lld s", (long long)(ms / 1000), (long long)(ms % 1000));
	return av_arena_printf(tool->arena, "+%lld d %02lld:%02lld", (long long)(minutes / 1440),
		(long long)(minutes / 60 % 24), (long long)(minutes % 60));
}

static const char *name_of(const Avvik__V1__Event *event)
{
	const ProtobufCFieldDescriptor *field = av_body_field(&event->base);
	return field ? ((const ProtobufCMessageDescriptor *)field->descriptor)->short_name
		     : "(of a later version)";
}

/* What led to it: "workflow 17"; "" for a command or for time. */
static const char *cause_text(const struct trace *trace, const Avvik__V1__Event *event)
{
	for (size_t i = 0; i < trace->events.count && event->cause_id.len; i++) {
		const Avvik__V1__Event *other = trace->events.items[i].event;
		if (other->event_id.len == event->cause_id.len &&
			memcmp(other->event_id.data, event->cause_id.data, other->event_id.len) == 0)
			return av_arena_printf(trace->tool->arena, "%s %llu",
				daemon_names[trace->events.items[i].daemon],
				(unsigned long long)other->sequence);
	}
	return "";
}

static const char *actor_text(struct tool *tool, const Avvik__V1__Event *event)
{
	if (!event->actor || strcmp(event->actor->principal, "avvik") == 0)
		return "";
	return *event->actor->person ? av_arena_printf(tool->arena, "%s (%s)", event->actor->person,
					       event->actor->principal)
				     : event->actor->principal;
}

static void trace_print(const struct trace *trace)
{
	static const char *const headings[] = {
		"recorded", ">after filing", "daemon", ">sequence", "event", "because of", "by", NULL};
	struct table *table = table_create(headings);
	struct tool *tool = trace->tool;

	for (size_t i = 0; i < trace->events.count; i++) {
		const struct case_event *traced = &trace->events.items[i];
		const Avvik__V1__Event *event = traced->event;
		table_row(table,
			(const char *const[]){tool_time(tool, event->recorded_at_ms),
				delay_text(tool,
					event->recorded_at_ms - trace->events.items[0].event->recorded_at_ms),
				daemon_names[traced->daemon],
				av_arena_printf(tool->arena, "%llu", (unsigned long long)event->sequence),
				name_of(event), cause_text(trace, event), actor_text(tool, event)});
	}
	table_print(&table);
}

int command_trace(struct tool *tool, int argc, char **argv)
{
	const char *number = NULL;
	struct trace trace = {.tool = tool};
	struct av_id case_id;
	int worst = EXIT_DONE;

	if (tool_options(tool, argc, argv, NULL, 0, &number, 1) < 0)
		return EXIT_USAGE;
	if (!number)
		return tool_usage("trace");
	if (tool_case_id(tool, number, &case_id) != AV_OK)
		return EXIT_REFUSED;
	for (int daemon = 0; daemon < DAEMON_COUNT; daemon++) {
		int code = case_events_ask(tool, (enum tool_daemon)daemon, &case_id, &trace.events);
		worst = code > worst ? code : worst;
	}
	case_events_sort(&trace.events);
	if (tool->json) {
		struct json_list list = {0};
		for (size_t i = 0; i < trace.events.count; i++) {
			json_t *event = av_json_from(&trace.events.items[i].event->base);
			json_object_set_new(
				event, "daemon", json_string(daemon_names[trace.events.items[i].daemon]));
			json_list_value(&list, event);
		}
		json_list_end(&list);
	} else if (trace.events.count) {
		trace_print(&trace);
	} else if (worst == EXIT_DONE) {
		worst = tool_fail(EXIT_REFUSED, "no daemon knows a report or case with this id");
	}
	case_events_end(&trace.events);
	return worst;
}
