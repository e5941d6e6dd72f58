/* subcommands.h - one function per subcommand, each in the file of its name. */
#ifndef AVVIK_SUBCOMMANDS_H
#define AVVIK_SUBCOMMANDS_H

#include "tool.h"

typedef int command_run(struct tool *tool, int argc, char **argv);

command_run command_up, command_keys, command_principals, command_directory, command_rules, command_calendar;
command_run command_report, command_case, command_why, command_whatif, command_trace, command_deadlines,
	command_notices;
command_run command_content, command_summary, command_stream, command_feed, command_status,
	command_quarantine;
command_run command_takeover, command_verify, command_backup, command_restore, command_clock;

#endif
