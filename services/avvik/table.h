/* table.h - tables for people: libsmartcols behind one file. */
#ifndef AVVIK_TABLE_H
#define AVVIK_TABLE_H

#include <stdbool.h>
#include <stddef.h>

struct table;

/* `columns` is a list of headings ended by NULL; one that begins with '>' is right-aligned, one with '~' may
 * be cut short, one with '+' wraps. NULL when out of memory. */
struct table *table_create(const char *const *columns);
/* As many texts as columns (NULL: empty), copied. */
void table_row(struct table *table, const char *const *texts);
bool table_empty(const struct table *table);
void table_destroy(struct table **table); /* without printing; NULL is nothing */
/* Prints to standard output (as wide as the terminal, or unlimited when it is none) and destroys. */
void table_print(struct table **table);

#endif
