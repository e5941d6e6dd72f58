/* case_tool.h - what the files of `avvik case` share. */
#ifndef AVVIK_CASE_TOOL_H
#define AVVIK_CASE_TOOL_H

#include "tool.h"

/* The case by number or id, as workflow has it now. NULL: told. Free the reply; the case lives in it. */
const Avvik__V1__Case *case_fetch(struct tool *tool, const char *text, Avvik__V1__Reply **ret_reply, int *ret_code);

int case_show(struct tool *tool, int argc, char **argv);
int case_list(struct tool *tool, int argc, char **argv);
/* argv[0] is the act. AV_NOT_FOUND in *ret_known false: no such act. */
int case_act(struct tool *tool, int argc, char **argv, bool *ret_known);
/* The acts and their words; one act when `only` is not NULL. */
int case_acts_list(const char *only);

#endif
