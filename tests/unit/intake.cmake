# What intake's tests share (files and texts as messages, faults by path), then one program for each kind of rules.
add_library(intake_support STATIC ${CMAKE_CURRENT_LIST_DIR}/intake_support.c)
target_include_directories(intake_support PUBLIC ${CMAKE_CURRENT_LIST_DIR})
target_link_libraries(intake_support PUBLIC intake_rules PkgConfig::cmocka PRIVATE avvik_flags)
target_compile_definitions(intake_support PRIVATE SOURCE_DIR="${CMAKE_SOURCE_DIR}")
foreach(part directory rulepack report)
	av_test(intake_${part} SOURCES ${CMAKE_CURRENT_LIST_DIR}/intake_${part}.c LINKS intake_support LABELS unit)
endforeach()
