/* trace.c - avvik trace: one report through all four daemons, with times.
 *
 * Each daemon is asked for its events of the case. They are put in the order in which they were recorded; at
 * the same instant in the order of the flow (intake, workflow, notification, reporting), and within a daemon
 * by sequence.
 */
#include <stdlib.h>
#include <string.h>

#include "ask.h"
#include "base/status.h"
#include "subcommands.h"
#include "table.h"
#include "wire/json.h"

#define PAGE 500

struct traced {
	const Avvik__V1__Event *event;
	enum tool_daemon daemon;
};

struct trace {
	struct tool *tool;
	struct traced *events;
	size_t count, room;
};

static int trace_add(struct trace *trace, enum tool_daemon daemon, ProtobufCBinaryData packed)
{
	ProtobufCMessage *event;

	if (av_message_load(&avvik__v1__event__descriptor, av_bytes(packed.data, packed.len),
		    trace->tool->arena, &event) < 0)
		return AV_OK; /* of a later version: not ours to show */
	if (trace->count == trace->room) {
		size_t room = trace->room ? trace->room * 2 : 64;
		struct traced *events = realloc(trace->events, room * sizeof *events);
		if (!events)
			return AV_MEMORY;
		trace->events = events;
		trace->room = room;
	}
	trace->events[trace->count++] = (struct traced){(const Avvik__V1__Event *)event, daemon};
	return AV_OK;
}

static int trace_ask(struct trace *trace, enum tool_daemon daemon, struct av_id *case_id)
{
	Avvik__V1__GetEvents query = AVVIK__V1__GET_EVENTS__INIT;
	int code = EXIT_DONE;

	query.case_id = ask_id_field(case_id);
	query.limit = PAGE;
	do {
		Avvik__V1__Reply *reply = NULL;
		if (!ask(trace->tool, daemon, AVVIK__V1__COMMAND__BODY_GET_EVENTS, &query.base, &reply,
			    &code))
			return code;
		const Avvik__V1__EventsFound *found =
			reply->body_case == AVVIK__V1__REPLY__BODY_EVENTS_FOUND ? reply->events_found : NULL;
		for (size_t i = 0; found && i < found->n_events && code == EXIT_DONE; i++)
			if (trace_add(trace, daemon, found->events[i]) < 0)
				code = tool_fail(EXIT_REFUSED, "out of memory");
		query.after_sequence = found ? found->next_after_sequence : 0;
		tool_reply_free(&reply);
	} while (query.after_sequence && code == EXIT_DONE);
	return code;
}

static int by_time(const void *a, const void *b)
{
	const struct traced *x = a, *y = b;

	if (x->event->recorded_at_ms != y->event->recorded_at_ms)
		return x->event->recorded_at_ms < y->event->recorded_at_ms ? -1 : 1;
	if (x->daemon != y->daemon)
		return (int)x->daemon - (int)y->daemon;
	return (x->event->sequence > y->event->sequence) - (x->event->sequence < y->event->sequence);
}

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
	for (size_t i = 0; i < trace->count && event->cause_id.len; i++) {
		const Avvik__V1__Event *other = trace->events[i].event;
		if (other->event_id.len == event->cause_id.len &&
			memcmp(other->event_id.data, event->cause_id.data, other->event_id.len) == 0)
			return av_arena_printf(trace->tool->arena, "%s %llu",
				daemon_names[trace->events[i].daemon], (unsigned long long)other->sequence);
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

	for (size_t i = 0; i < trace->count; i++) {
		const struct traced *traced = &trace->events[i];
		const Avvik__V1__Event *event = traced->event;
		table_row(table,
			(const char *const[]){tool_time(tool, event->recorded_at_ms),
				delay_text(
					tool, event->recorded_at_ms - trace->events[0].event->recorded_at_ms),
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
		int code = trace_ask(&trace, (enum tool_daemon)daemon, &case_id);
		worst = code > worst ? code : worst;
	}
	if (trace.count)
		qsort(trace.events, trace.count, sizeof *trace.events, by_time);
	if (tool->json) {
		struct json_list list = {0};
		for (size_t i = 0; i < trace.count; i++) {
			json_t *event = av_json_from(&trace.events[i].event->base);
			json_object_set_new(
				event, "daemon", json_string(daemon_names[trace.events[i].daemon]));
			json_list_value(&list, event);
		}
		json_list_end(&list);
	} else if (trace.count) {
		trace_print(&trace);
	} else if (worst == EXIT_DONE) {
		worst = tool_fail(EXIT_REFUSED, "no daemon knows a report or case with this id");
	}
	free(trace.events);
	return worst;
}
