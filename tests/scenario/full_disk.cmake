# Where no tmpfs can be mounted it is passed over.
av_scenario(scenario_full_disk COMMAND /usr/bin/python3 ${CMAKE_CURRENT_SOURCE_DIR}/full_disk.py)
set_tests_properties(scenario_full_disk PROPERTIES SKIP_RETURN_CODE 77)
