av_test(reporting_figures SOURCES ${CMAKE_CURRENT_LIST_DIR}/reporting_figures.c LINKS reporting_rules LABELS unit)
