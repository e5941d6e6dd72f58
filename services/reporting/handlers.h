/* handlers.h - one function per message that reporting consumes or answers. */
#ifndef REPORTING_HANDLERS_H
#define REPORTING_HANDLERS_H

#include "daemon/service.h"

av_handler on_directory_published;
av_handler on_case_opened, on_case_placed, on_case_decided, on_case_closed, on_case_turned_lex_sarah,
	on_ivo_notified;
av_handler on_case_returned, on_case_reopened, on_case_joined, on_case_parted;
av_handler on_deadline_set, on_deadline_replanned, on_deadline_met, on_deadline_cancelled, on_rung_fired;
av_handler on_measure_proposed, on_proposal_decided, on_measure_decided, on_measure_executed,
	on_measure_evaluated;
av_handler on_get_summary;

extern const struct av_service reporting_service;

#endif
