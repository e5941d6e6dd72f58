/* case_events.h - the events of a case in the daemons' journals. */
#ifndef AVVIK_CASE_EVENTS_H
#define AVVIK_CASE_EVENTS_H

#include "base/ids.h"
#include "tool.h"

struct case_event {
	const Avvik__V1__Event *event; /* in the tool's arena */
	enum tool_daemon daemon;
};
struct case_events { /* zeroed is ready */
	struct case_event *items;
	size_t count, room;
};

/* Adds every event of the case in that daemon's journal. Answers the exit code; what is wrong is told. */
int case_events_ask(
	struct tool *tool, enum tool_daemon daemon, struct av_id *case_id, struct case_events *events);
/* In the order in which they were recorded; at the same instant in the order of the flow, and within a daemon by
 * sequence. */
void case_events_sort(struct case_events *events);
void case_events_end(struct case_events *events);

#endif
