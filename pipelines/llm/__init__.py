"""The language-model endpoint, used only where the settings name one."""
