"""The data that the labs train on, which several assignments share."""

DATA_FILES = (
    "uiowa_std_scale_train_data.npy",
    "uiowa_permuted_train_labels.npy",
    "uiowa_std_scale_test_data.npy",
    "uiowa_test_labels.npy",
)
"""Features and labels for training, then for tests."""
