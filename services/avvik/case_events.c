/* case_events.c - the events of a case in the daemons' journals. */
#include "case_events.h"

#include <stdlib.h>
#include <string.h>

#include "ask.h"
#include "base/status.h"

#define PAGE 500

static int event_add(
	struct tool *tool, struct case_events *events, enum tool_daemon daemon, ProtobufCBinaryData packed)
{
	ProtobufCMessage *event;

	if (av_message_load(&avvik__v1__event__descriptor, av_bytes(packed.data, packed.len), tool->arena,
		    &event) < 0)
		return AV_OK; /* of a later version: not ours to show */
	if (events->count == events->room) {
		size_t room = events->room ? events->room * 2 : 64;
		struct case_event *items = realloc(events->items, room * sizeof *items);
		if (!items)
			return AV_MEMORY;
		events->items = items;
		events->room = room;
	}
	events->items[events->count++] = (struct case_event){(const Avvik__V1__Event *)event, daemon};
	return AV_OK;
}

int case_events_ask(
	struct tool *tool, enum tool_daemon daemon, struct av_id *case_id, struct case_events *events)
{
	Avvik__V1__GetEvents query = AVVIK__V1__GET_EVENTS__INIT;
	int code = EXIT_DONE;

	query.case_id = ask_id_field(case_id);
	query.limit = PAGE;
	do {
		Avvik__V1__Reply *reply = NULL;
		if (!ask(tool, daemon, AVVIK__V1__COMMAND__BODY_GET_EVENTS, &query.base, &reply, &code))
			return code;
		const Avvik__V1__EventsFound *found =
			reply->body_case == AVVIK__V1__REPLY__BODY_EVENTS_FOUND ? reply->events_found : NULL;
		for (size_t i = 0; found && i < found->n_events && code == EXIT_DONE; i++)
			if (event_add(tool, events, daemon, found->events[i]) < 0)
				code = tool_fail(EXIT_REFUSED, "out of memory");
		query.after_sequence = found ? found->next_after_sequence : 0;
		tool_reply_free(&reply);
	} while (query.after_sequence && code == EXIT_DONE);
	return code;
}

static int by_time(const void *a, const void *b)
{
	const struct case_event *x = a, *y = b;

	if (x->event->recorded_at_ms != y->event->recorded_at_ms)
		return x->event->recorded_at_ms < y->event->recorded_at_ms ? -1 : 1;
	if (x->daemon != y->daemon)
		return (int)x->daemon - (int)y->daemon;
	return (x->event->sequence > y->event->sequence) - (x->event->sequence < y->event->sequence);
}

void case_events_sort(struct case_events *events)
{
	if (events->count)
		qsort(events->items, events->count, sizeof *events->items, by_time);
}

void case_events_end(struct case_events *events)
{
	free(events->items);
	*events = (struct case_events){.count = 0};
}
