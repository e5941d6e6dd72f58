/* reporting_service.c - what reporting hands to the skeleton: its tables are its flow, its rights and its
 * documentation. */
#include "handlers.h"
#include "reporting_store.h"
#include "stream.h"

/* clang-format off */
static const struct av_command_row commands[] = {
	/* message                                     kind      who may call                          flags handler         emits */
	{AVVIK__V1__COMMAND__BODY_GET_SUMMARY,         AV_QUERY, AV_MAY_SUMMARY | AV_MAY_ADMINISTER,   0,    on_get_summary, ""},
};

static const struct av_event_row events[] = {
	/* feed        event                                                  handler                    emits */
	{"intake",     AVVIK__V1__EVENT__BODY_DIRECTORY_PUBLISHED,            on_directory_published,    "DirectoryPublished"},
	{"workflow",   AVVIK__V1__EVENT__BODY_CASE_OPENED,                    on_case_opened,            "FiguresChanged"},
	{"workflow",   AVVIK__V1__EVENT__BODY_CASE_PLACED,                    on_case_placed,            "FiguresChanged"},
	{"workflow",   AVVIK__V1__EVENT__BODY_CASE_TURNED_LEX_SARAH,          on_case_turned_lex_sarah,  "FiguresChanged"},
	{"workflow",   AVVIK__V1__EVENT__BODY_CASE_DECIDED,                   on_case_decided,           "FiguresChanged"},
	{"workflow",   AVVIK__V1__EVENT__BODY_CASE_RETURNED_TO_DEVIATION,     on_case_returned,          "FiguresChanged"},
	{"workflow",   AVVIK__V1__EVENT__BODY_CASE_REOPENED,                  on_case_reopened,          "FiguresChanged"},
	{"workflow",   AVVIK__V1__EVENT__BODY_IVO_NOTIFIED,                   on_ivo_notified,           "FiguresChanged"},
	{"workflow",   AVVIK__V1__EVENT__BODY_CASE_CLOSED,                    on_case_closed,            "FiguresChanged"},
	{"workflow",   AVVIK__V1__EVENT__BODY_CASE_JOINED,                    on_case_joined,            "FiguresChanged"},
	{"workflow",   AVVIK__V1__EVENT__BODY_CASE_PARTED,                    on_case_parted,            "FiguresChanged"},
	{"workflow",   AVVIK__V1__EVENT__BODY_DEADLINE_SET,                   on_deadline_set,           "FiguresChanged"},
	{"workflow",   AVVIK__V1__EVENT__BODY_DEADLINE_MET,                   on_deadline_met,           "FiguresChanged"},
	{"workflow",   AVVIK__V1__EVENT__BODY_DEADLINE_REPLANNED,             on_deadline_replanned,     "FiguresChanged"},
	{"workflow",   AVVIK__V1__EVENT__BODY_DEADLINE_CANCELLED,             on_deadline_cancelled,     "FiguresChanged"},
	{"workflow",   AVVIK__V1__EVENT__BODY_RUNG_FIRED,                     on_rung_fired,             "FiguresChanged"},
	{"workflow",   AVVIK__V1__EVENT__BODY_MEASURE_PROPOSED,               on_measure_proposed,       "FiguresChanged"},
	{"workflow",   AVVIK__V1__EVENT__BODY_PROPOSAL_DECIDED,               on_proposal_decided,       "FiguresChanged"},
	{"workflow",   AVVIK__V1__EVENT__BODY_MEASURE_DECIDED,                on_measure_decided,        "FiguresChanged"},
	{"workflow",   AVVIK__V1__EVENT__BODY_MEASURE_EXECUTED,               on_measure_executed,       "FiguresChanged"},
	{"workflow",   AVVIK__V1__EVENT__BODY_MEASURE_EVALUATED,              on_measure_evaluated,      "FiguresChanged"},
};
/* clang-format on */

const struct av_service reporting_service = {
	.name = "reporting",
	.purpose = "counts what happens to cases, by period and unit, and tells it live",
	.tables = reporting_tables,
	.table_count = AV_COUNT(reporting_tables),
	.commands = commands,
	.command_count = AV_COUNT(commands),
	.events = events,
	.event_count = AV_COUNT(events),
	.apply = reporting_apply,
	.start = stream_start,
	.committed = stream_committed,
	.stop = stream_stop,
	.health = stream_health,
	.may_subscribe = stream_may_subscribe,
};
