# The tool's pages: what is written is text, and there is a Swedish word for everything.
set(tool ${CMAKE_SOURCE_DIR}/services/avvik)
av_test(tool_document SOURCES ${CMAKE_CURRENT_LIST_DIR}/tool_document.c ${tool}/html.c ${tool}/document_words.c LINKS avvik_wire LABELS unit)
target_include_directories(test_tool_document PRIVATE ${tool})
