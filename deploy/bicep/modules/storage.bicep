// The storage account, with the five containers of the library, one for the output of steps, and one for the messages of
// jobs on Databricks.
param name string
param location string
param retentionDays int
param inventory bool
param writerId string
param readerId string
param pagesId string
param subnetId string
param zoneId string
param workspaceId string

var roles = loadJsonContent('../roles.json')

var containers = [
  'uploads'
  'batch'
  'cepstra'
  'soundtracks'
  'artworks'
]
var logsContainer = 'logs'
var pipesContainer = 'pipes'

@description('Containers whose blobs pages and callers get links to.')
var linkedContainers = [
  'soundtracks'
  'artworks'
]
@description('Containers that the web pages read. Features and indexes are among the cepstra.')
var shownContainers = [
  'soundtracks'
  'artworks'
  'cepstra'
]

var uploadsContainer = 'uploads'
var musicContainer = 'soundtracks'
var reportsContainer = 'cepstra'
var inventoryRule = 'soundtracks'
var undoDays = 7
// A restore to a point in time needs the blobs that were deleted since. So its period must be a day shorter than theirs.
var restoreDays = undoDays - 1

resource account 'Microsoft.Storage/storageAccounts@2023-05-01' = {
  name: name
  location: location
  kind: 'StorageV2'
  sku: {
    name: 'Standard_ZRS'
  }
  properties: {
    accessTier: 'Hot'
    allowBlobPublicAccess: false
    allowSharedKeyAccess: false
    allowCrossTenantReplication: false
    defaultToOAuthAuthentication: true
    minimumTlsVersion: 'TLS1_2'
    supportsHttpsTrafficOnly: true
    publicNetworkAccess: 'Disabled'
    networkAcls: {
      defaultAction: 'Deny'
      // The expiry of blobs is a service of Azure, too. Without this exception the firewall could block it, and uploads
      // would not be deleted.
      bypass: 'AzureServices'
    }
  }
}

resource blobs 'Microsoft.Storage/storageAccounts/blobServices@2023-05-01' = {
  parent: account
  name: 'default'
  properties: {
    isVersioningEnabled: true
    changeFeed: {
      enabled: true
      retentionInDays: undoDays
    }
    restorePolicy: {
      enabled: true
      days: restoreDays
    }
    deleteRetentionPolicy: {
      enabled: true
      days: undoDays
    }
    containerDeleteRetentionPolicy: {
      enabled: true
      days: undoDays
    }
  }
}

resource library 'Microsoft.Storage/storageAccounts/blobServices/containers@2023-05-01' = [for container in containers: {
  parent: blobs
  name: container
  properties: {
    publicAccess: 'None'
  }
}]

resource logs 'Microsoft.Storage/storageAccounts/blobServices/containers@2023-05-01' = {
  parent: blobs
  name: logsContainer
  properties: {
    publicAccess: 'None'
  }
}

resource pipes 'Microsoft.Storage/storageAccounts/blobServices/containers@2023-05-01' = {
  parent: blobs
  name: pipesContainer
  properties: {
    publicAccess: 'None'
  }
}

// The music of listeners is deleted after the retention period. A deleted blob becomes a previous version. Versions are
// deleted `undoDays` after the blob was written, mostly by the next daily run of these rules, and can be restored for another
// `undoDays`. A rule does not delete a blob that has previous versions, so both rules are needed.
var expiry = {
  name: 'expire-uploads'
  enabled: true
  type: 'Lifecycle'
  definition: {
    filters: {
      blobTypes: [
        'blockBlob'
      ]
      prefixMatch: [
        'uploads/'
        'batch/'
      ]
    }
    actions: {
      baseBlob: {
        delete: {
          // Azure applies a rule within two days. The job `retention` of Dagster purges everything else of an upload.
          daysAfterCreationGreaterThan: max(retentionDays - 2, 1)
        }
      }
    }
  }
}

// No rule moves soundtracks or features to a cooler tier. Listeners play them at any time, and changed parameters need all
// of them. Reading a gigabyte from the cool tier costs more than the half cent that the tier saves in a month. No rule
// deletes indexes, because their age does not tell which ones are needed; `mfcc index prune` deletes them.
var housekeeping = [
  {
    name: 'end-old-versions'
    enabled: true
    type: 'Lifecycle'
    definition: {
      filters: {
        blobTypes: [
          'blockBlob'
        ]
      }
      actions: {
        version: {
          delete: {
            daysAfterCreationGreaterThan: undoDays
          }
        }
      }
    }
  }
  {
    name: 'expire-logs'
    enabled: true
    type: 'Lifecycle'
    definition: {
      filters: {
        blobTypes: [
          'blockBlob'
        ]
        prefixMatch: [
          '${logsContainer}/'
          '${pipesContainer}/'
          // What a step leaves that was killed while a job worked for it.
          'cepstra/jobs/'
        ]
      }
      actions: {
        baseBlob: {
          delete: {
            daysAfterModificationGreaterThan: 30
          }
        }
      }
    }
  }
]

// The folders of the reports are named after their years. Nothing else in the container begins like that.
var expiryOfReports = {
  name: 'expire-reports'
  enabled: true
  type: 'Lifecycle'
  definition: {
    filters: {
      blobTypes: [
        'blockBlob'
      ]
      prefixMatch: [
        '${reportsContainer}/20'
      ]
    }
    actions: {
      baseBlob: {
        delete: {
          daysAfterModificationGreaterThan: 30
        }
      }
    }
  }
}

resource reports 'Microsoft.Storage/storageAccounts/inventoryPolicies@2023-05-01' = if (inventory) {
  parent: account
  name: 'default'
  properties: {
    policy: {
      enabled: true
      type: 'Inventory'
      rules: [
        {
          name: inventoryRule
          enabled: true
          destination: reportsContainer
          definition: {
            objectType: 'Blob'
            format: 'Parquet'
            schedule: 'Daily'
            filters: {
              blobTypes: [
                'blockBlob'
              ]
              prefixMatch: [
                '${musicContainer}/'
              ]
            }
            schemaFields: [
              'Name'
              'Last-Modified'
              'Content-Length'
              'Etag'
            ]
          }
        }
      ]
    }
  }
  dependsOn: [
    library
  ]
}

resource lifecycle 'Microsoft.Storage/storageAccounts/managementPolicies@2023-05-01' = {
  parent: account
  name: 'default'
  properties: {
    policy: {
      rules: concat(housekeeping, retentionDays > 0 ? [expiry] : [], inventory ? [expiryOfReports] : [])
    }
  }
  dependsOn: [
    blobs
  ]
}

resource writes 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(account.id, writerId, roles.storageBlobDataContributor)
  scope: account
  properties: {
    principalId: writerId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.storageBlobDataContributor)
  }
}

resource reads 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for (container, i) in containers: if (contains(linkedContainers, container)) {
  name: guid(library[i].id, readerId, roles.storageBlobDataReader)
  scope: library[i]
  properties: {
    principalId: readerId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.storageBlobDataReader)
  }
}]

// Links are signed with a delegation key, which an identity requests from the account. A link can open only what this
// identity may read. An identity that may write to the whole account needs no further role for it.
resource signs 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(account.id, readerId, roles.storageBlobDelegator)
  scope: account
  properties: {
    principalId: readerId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.storageBlobDelegator)
  }
}

resource pagesRead 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for (container, i) in containers: if (contains(shownContainers, container)) {
  name: guid(library[i].id, pagesId, roles.storageBlobDataReader)
  scope: library[i]
  properties: {
    principalId: pagesId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.storageBlobDataReader)
  }
}]

// The pages store what listeners upload, and nothing else.
resource pagesWrite 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for (container, i) in containers: if (container == uploadsContainer) {
  name: guid(library[i].id, pagesId, roles.storageBlobDataContributor)
  scope: library[i]
  properties: {
    principalId: pagesId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.storageBlobDataContributor)
  }
}]

resource pagesSign 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(account.id, pagesId, roles.storageBlobDelegator)
  scope: account
  properties: {
    principalId: pagesId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.storageBlobDelegator)
  }
}

resource diagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-workspace'
  scope: blobs
  properties: {
    workspaceId: workspaceId
    // Reads are not logged, because sensors list the containers all day.
    logs: [
      {
        category: 'StorageWrite'
        enabled: true
      }
      {
        category: 'StorageDelete'
        enabled: true
      }
    ]
    metrics: [
      {
        category: 'Transaction'
        enabled: true
      }
    ]
  }
}

module endpoint 'endpoint.bicep' = {
  name: 'storage-endpoint'
  params: {
    name: 'pe-${name}'
    location: location
    serviceId: account.id
    part: 'blob'
    subnetId: subnetId
    zoneId: zoneId
  }
}

output account string = account.name
output blobUrl string = account.properties.primaryEndpoints.blob
output inventoryRule string = inventoryRule
