/* programs.h - running the daemons' own programs for what only they may do with their stores. */
#ifndef AVVIK_PROGRAMS_H
#define AVVIK_PROGRAMS_H

#include "tool.h"

/* avvik-<daemon> --settings FILE WORD [FOLDER/<daemon>], in turn for each daemon or for one; its output is
 * passed through. Answers how many failed. */
int programs_run(struct tool *tool, const char *only, const char *word, const char *folder);

#endif
