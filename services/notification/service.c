/* service.c - the tables of notification: what it consumes, what it answers, what it owns. */
#include "notification_service.h"

#include "handlers.h"
#include "health.h"
#include "known.h"
#include "mail_settings.h"
#include "notification_store.h"
#include "outbox.h"

#define FROM(feed, name, handler, emits)                            \
	{                                                           \
		feed, AVVIK__V1__EVENT__BODY_##name, handler, emits \
	}
#define DECIDES "CaseKnown, NoticeDecided, NoticeUnreachable"

static const struct av_event_row events[] = {
	/* clang-format off */
	FROM("intake",   DIRECTORY_PUBLISHED,     on_directory_published, "DirectoryPublished, ContactStored, ContentErased"),
	FROM("intake",   RULES_PUBLISHED,         on_rules_published,     "RulesPublished"),
	{"intake", AVVIK__V1__EVENT__BODY_REPORT_FILED, on_report_filed,  "ContactStored", .patient = true}, /* its case comes next */
	FROM("intake",   CONTENT_ERASED,          on_content_erased,      "ContentErased"),
	FROM("workflow", CASE_OPENED,             on_case_event,          DECIDES),
	FROM("workflow", CASE_PLACED,             on_case_event,          DECIDES),
	FROM("workflow", REPORTER_NAMED,          on_reporter_named,      DECIDES ", ContactStored, ContentErased"),
	FROM("workflow", CASE_REMEDIED,           on_case_event,          DECIDES),
	FROM("workflow", AFFECTED_INFORMED,       on_case_event,          DECIDES),
	FROM("workflow", CASE_ASSESSED_INITIALLY, on_case_event,          DECIDES),
	FROM("workflow", SERIOUS_FOUND,           on_case_event,          DECIDES),
	FROM("workflow", ENTRY_RECORDED,          on_case_event,          DECIDES),
	FROM("workflow", INVESTIGATION_COMPLETED, on_case_event,          DECIDES),
	FROM("workflow", CASE_DECIDED,            on_case_event,          DECIDES),
	FROM("workflow", IVO_NOTIFIED,            on_case_event,          DECIDES),
	FROM("workflow", INVESTIGATION_HANDED_IN, on_case_event,          DECIDES),
	FROM("workflow", MEASURE_PROPOSED,        on_case_event,          DECIDES),
	FROM("workflow", PROPOSAL_DECIDED,        on_case_event,          DECIDES),
	FROM("workflow", EFFECT_JUDGED,           on_case_event,          DECIDES),
	FROM("workflow", MEASURE_DECIDED,         on_case_event,          DECIDES),
	FROM("workflow", NO_MEASURES_DECIDED,     on_case_event,          DECIDES),
	FROM("workflow", MEASURE_EXECUTED,        on_case_event,          DECIDES),
	FROM("workflow", MEASURE_EVALUATED,       on_case_event,          DECIDES),
	FROM("workflow", CASE_CLOSED,             on_case_event,          DECIDES),
	FROM("workflow", DEVIATION_ASSESSED,      on_case_event,          DECIDES),
	FROM("workflow", RECURRENCE_FOUND,        on_case_event,          DECIDES),
	FROM("workflow", RECURRENCE_NOTED,        on_case_event,          DECIDES),
	FROM("workflow", CASE_TAKEN_FOR_REVIEW,   on_case_event,          DECIDES),
	FROM("workflow", COMPLETION_REQUESTED,    on_case_event,          DECIDES),
	FROM("workflow", COMPLETION_ANSWERED,     on_case_event,          DECIDES),
	FROM("workflow", INQUIRY_BEGUN,           on_case_event,          DECIDES),
	FROM("workflow", RISK_ASSESSED,           on_case_event,          DECIDES),
	FROM("workflow", HIGH_RISK_FOUND,         on_case_event,          DECIDES),
	FROM("workflow", CASE_TAKEN_OVER,         on_case_event,          DECIDES),
	FROM("workflow", INQUIRY_COMPLETED,       on_case_event,          DECIDES),
	FROM("workflow", CASE_TURNED_LEX_SARAH,   on_case_event,          DECIDES),
	FROM("workflow", CASE_SUPPLEMENTED,       on_case_event,          DECIDES),
	FROM("workflow", CASE_RULES_SET,          on_case_rules_set,      DECIDES),
	FROM("workflow", IVO_DUTY_LIFTED,         on_case_event,          DECIDES),
	FROM("workflow", IVO_REQUESTED,           on_case_event,          DECIDES),
	FROM("workflow", IVO_ANSWERED,            on_case_event,          DECIDES),
	FROM("workflow", IVO_DECIDED,             on_case_event,          DECIDES),
	FROM("workflow", CASE_RECONSIDERED,       on_case_event,          DECIDES),
	FROM("workflow", CASE_RETURNED_TO_DEVIATION, on_case_event,       DECIDES),
	FROM("workflow", CASE_REOPENED,           on_case_event,          DECIDES),
	FROM("workflow", RELATIVES_INFORMED,      on_case_event,          DECIDES),
	FROM("workflow", FILE_ENTRY_CONFIRMED,    on_case_event,          DECIDES),
	FROM("workflow", POLICE_REPORT_DECIDED,   on_case_event,          DECIDES),
	FROM("workflow", REGISTRY_NUMBER_SET,     on_case_event,          DECIDES),
	FROM("workflow", INFORMATION_REGISTERED,  on_case_event,          DECIDES),
	FROM("workflow", PROVIDER_NOTIFIED,       on_case_event,          DECIDES),
	FROM("workflow", CASE_JOINED,             on_case_event,          DECIDES),
	FROM("workflow", OTHER_JOINED,            on_case_event,          DECIDES),
	FROM("workflow", CASE_PARTED,             on_case_event,          DECIDES),
	FROM("workflow", OTHER_PARTED,            on_case_event,          DECIDES),
	FROM("workflow", JOINED_CASE_CLOSED,      on_case_event,          DECIDES),
	FROM("workflow", DUPLICATE_DISMISSED,     on_case_event,          DECIDES),
	FROM("workflow", CONTENT_CORRECTED,       on_content_corrected,   DECIDES ", ContactStored, ContentErased"),
	FROM("workflow", RUNG_FIRED,              on_case_event,          DECIDES),
	FROM("workflow", CONTENT_ERASED,          on_content_erased,      "ContentErased"),
}; /* clang-format on */

static const struct av_command_row commands[] = {
	/* clang-format off */
	{AVVIK__V1__COMMAND__BODY_LIST_NOTICES, AV_QUERY, AV_MAY_QUERY | AV_MAY_ADMINISTER, 0,          on_list_notices, ""},
	{AVVIK__V1__COMMAND__BODY_RETRY_NOTICE, AV_ORDER, AV_MAY_ADMINISTER,                AV_AT_FULL, on_retry_notice, "NoticeRetried"},
}; /* clang-format on */

const struct av_service notification_service = {
	.name = "notification",
	.purpose = "tells people what happened in cases and what is expected of them",
	.tables = notification_tables,
	.table_count = NOTIFICATION_TABLES,
	.commands = commands,
	.command_count = AV_COUNT(commands),
	.events = events,
	.event_count = AV_COUNT(events),
	.apply = notification_apply,
	.on_due = on_notices_due,
	.next_due = notices_next_due,
	.on_inner = on_delivery,
	.cache_create = known_create,
	.cache_destroy = known_destroy,
	.start = outbox_start,
	.committed = outbox_committed,
	.quiet = outbox_quiet,
	.busy = outbox_busy,
	.stop = outbox_stop,
	.health = notification_health,
	.describe = notification_describe,
	.check_settings = check_mail_settings,
};
