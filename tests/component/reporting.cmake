av_test(reporting SOURCES ${CMAKE_CURRENT_LIST_DIR}/reporting.c LINKS reporting_parts avvik_harness LABELS component)
