av_scenario(scenario_python_client COMMAND /usr/bin/python3 ${CMAKE_CURRENT_SOURCE_DIR}/python_client.py)
av_scenario(scenario_restore COMMAND /usr/bin/python3 ${CMAKE_CURRENT_SOURCE_DIR}/restore.py)
av_scenario(scenario_erasure COMMAND /usr/bin/python3 ${CMAKE_CURRENT_SOURCE_DIR}/erasure.py)
