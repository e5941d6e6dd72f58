/* preview.h - what a rule pack or a directory would change for the open deadlines. */
#ifndef AVVIK_PREVIEW_H
#define AVVIK_PREVIEW_H

#include "tool.h"

/* FILE in argv[1]: checked as by `check`, then shown to workflow. The words of `avvik rules preview` and
 * `avvik directory preview`; argv[0] is the word itself. */
int rules_preview(struct tool *tool, int argc, char **argv);
int directory_preview(struct tool *tool, int argc, char **argv);

#endif
