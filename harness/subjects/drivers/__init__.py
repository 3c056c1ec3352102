"""One small driver per SDK. They run in the SDK's own environment and import nothing of ours."""
